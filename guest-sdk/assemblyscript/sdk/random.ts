//! Randomness of a session: a small generator (sfc32, 16 bytes of state) seeded by the host, and the made-up data and pauses
//! that are drawn from it. Nothing else is random, so two sessions with the same seed and the same replies decide the same.

const MAX_DELAY_MS: f64 = 3_600_000;

export class Random {
  private a: u32;
  private b: u32;
  private c: u32 = 0x9e3779b9;
  private counter: u32 = 1;

  constructor(seed: u64) {
    this.a = <u32>(seed >> 32);
    this.b = <u32>seed;
    for (let turn = 0; turn < 12; turn += 1) this.bits();
  }

  private bits(): u32 {
    const sum = this.a + this.b + this.counter;
    this.counter += 1;
    this.a = this.b ^ (this.b >> 9);
    this.b = this.c + (this.c << 3);
    this.c = ((this.c << 21) | (this.c >> 11)) + sum;
    return sum;
  }

  /** At least 0, less than 1. */
  float(): f64 {
    return <f64>this.bits() / 4294967296.0;
  }

  /** A whole number, both bounds included. */
  range(min: i32, max: i32): i32 {
    return min + <i32>Math.floor(this.float() * <f64>(max - min + 1));
  }

  pick(items: StaticArray<string>): string {
    return items[this.range(0, items.length - 1)];
  }

  /**
   * Whole milliseconds in `min..max`: the median is their geometric mean, and the bounds lie two standard deviations away;
   * what falls outside is drawn again.
   */
  logNormal(min: u32, max: u32): u32 {
    if (max <= min) return <u32>Math.min(<f64>min, MAX_DELAY_MS);
    const low = Math.log(Math.max(<f64>min, 1));
    const high = Math.log(<f64>max);
    let normal: f64 = 0;
    for (let attempt = 0; attempt < 4; attempt += 1) {
      // Box and Muller; 1 - float() is never 0.
      const drawn = Math.sqrt(-2 * Math.log(1 - this.float())) * Math.cos(2 * Math.PI * this.float());
      if (Math.abs(drawn) <= 2) {
        normal = drawn;
        break;
      }
    }
    const millis = Math.round(Math.exp((low + high) / 2 + ((high - low) / 4) * normal));
    return <u32>Math.min(Math.min(Math.max(millis, <f64>min), <f64>max), MAX_DELAY_MS);
  }
}

const FIRST: StaticArray<string> = ['Ana', 'Bruno', 'Camila', 'Daniel', 'Helena', 'João', 'Larissa', 'Rafael', 'Alice', 'Edward', 'Grace', 'Oliver'];
const LAST: StaticArray<string> = ['Almeida', 'Carvalho', 'Conceição', 'Ferreira', 'Lima', 'Moreira', 'Santos', 'Baker', 'Clarke', 'Hughes', 'Parker', 'Shaw'];
const CITIES: StaticArray<string> = ['São Paulo', 'Recife', 'Curitiba', 'Salvador', 'Lisboa', 'Porto', 'London', 'Bristol', 'Dublin', 'Seattle', 'Toronto', 'Wellington'];
const TRADES: StaticArray<string> = ['arquiteta', 'bibliotecário', 'engenheira civil', 'padeiro', 'professora', 'beekeeper', 'carpenter', 'gardener', 'nurse', 'translator'];
const LOVES: StaticArray<string> = ['café coado', 'choro e samba', 'hortas urbanas', 'xadrez', 'board games', 'cold water swimming', 'long train rides', 'old maps', 'wild bees'];
const WORDS: StaticArray<string> = ['ana', 'bruno', 'carlos', 'lima', 'maria', 'santos', 'silva', 'alice', 'baker', 'george', 'oliver', 'user'];

/** Made-up data: nothing here names a real person, address or number. */
export class Fake {
  constructor(private random: Random) {}

  name(): string {
    const first = this.random.pick(FIRST);
    return `${first} ${this.random.pick(LAST)}`;
  }

  city(): string {
    return this.random.pick(CITIES);
  }

  bio(): string {
    const trade = this.random.pick(TRADES);
    const loves = this.random.pick(LOVES);
    return `${trade} · ${loves} · ${this.random.pick(CITIES)}`;
  }

  phone(): string {
    return `+55 11 5550-${this.random.range(0, 9999).toString().padStart(4, '0')}`;
  }

  website(): string {
    const word = this.random.pick(WORDS);
    return `https://${word}${this.random.range(0, 999)}.simulation.test`;
  }

  birthDate(): string {
    const year = this.random.range(1950, 2005).toString();
    const month = this.random.range(1, 12).toString().padStart(2, '0');
    return `${year}-${month}-${this.random.range(1, 28).toString().padStart(2, '0')}`;
  }

  search(): string {
    return this.random.pick(WORDS);
  }
}
