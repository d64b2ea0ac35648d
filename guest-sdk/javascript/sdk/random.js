//! Randomness of a session: a small generator (sfc32, 16 bytes of state) seeded by the host. Pauses and `Me` draw from
//! it and nothing else is random, so two sessions with the same seed and the same replies decide the same.

export class Random {
  constructor(seed) {
    const whole = Number(seed);
    this.a = (whole / 2 ** 32) >>> 0;
    this.b = whole % 2 ** 32 >>> 0;
    this.c = 0x9e3779b9 | 0;
    this.counter = 1;
    for (let turn = 0; turn < 12; turn += 1) {
      this.bits();
    }
  }

  /** 32 random bits, unsigned. */
  bits() {
    const sum = (this.a + this.b + this.counter) | 0;
    this.counter = (this.counter + 1) | 0;
    this.a = this.b ^ (this.b >>> 9);
    this.b = (this.c + (this.c << 3)) | 0;
    this.c = (((this.c << 21) | (this.c >>> 11)) + sum) | 0;
    return sum >>> 0;
  }

  /** 64 random bits, as 16 hexadecimal digits. */
  hex() {
    const half = () => this.bits().toString(16).padStart(8, '0');
    return half() + half();
  }

  /** At least 0, less than 1. */
  float() {
    return this.bits() / 2 ** 32;
  }

  /** A whole number, both bounds included. */
  range(min, max) {
    return min + Math.floor(this.float() * (max - min + 1));
  }

  /** One of the items; undefined when there are none. */
  pick(items) {
    return items[Math.floor(this.float() * items.length)];
  }

  /** One of `[item, weight]`, each as often as its weight says; undefined when all weights are 0. */
  weighted(pairs) {
    let rest = this.float() * pairs.reduce((sum, [, weight]) => sum + Math.max(weight, 0), 0);
    let last;
    for (const [item, weight] of pairs) {
      if (weight > 0) {
        if (rest < weight) {
          return item;
        }
        rest -= weight;
        last = item; // rounding may leave a crumb
      }
    }
    return last;
  }
}
