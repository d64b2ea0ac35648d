//! Made-up data: people, cities and what they say of themselves, Portuguese and English. `Me` draws from these lists;
//! nothing here names a real person, address or number.

const FIRST = ['Ana', 'Bruno', 'Camila', 'Daniel', 'Helena', 'João', 'Larissa', 'Rafael', 'Alice', 'Edward', 'Grace', 'Oliver'];
const LAST = ['Almeida', 'Carvalho', 'Conceição', 'Ferreira', 'Lima', 'Moreira', 'Santos', 'Baker', 'Clarke', 'Hughes', 'Parker', 'Shaw'];
const CITIES = ['São Paulo', 'Recife', 'Curitiba', 'Salvador', 'Lisboa', 'Porto', 'London', 'Bristol', 'Dublin', 'Seattle', 'Toronto', 'Wellington'];
const TRADES = ['arquiteta', 'bibliotecário', 'engenheira civil', 'padeiro', 'professora', 'beekeeper', 'carpenter', 'gardener', 'nurse', 'translator'];
const LOVES = ['café coado', 'choro e samba', 'hortas urbanas', 'xadrez', 'board games', 'cold water swimming', 'long train rides', 'old maps', 'wild bees'];
const WORDS = ['ana', 'bruno', 'carlos', 'lima', 'maria', 'santos', 'silva', 'alice', 'baker', 'george', 'oliver', 'user'];

export const fakes = {
  name: (random) => `${random.pick(FIRST)} ${random.pick(LAST)}`,
  city: (random) => random.pick(CITIES),
  bio: (random) => `${random.pick(TRADES)} · ${random.pick(LOVES)} · ${random.pick(CITIES)}`,
  phone: (random) => `+55 11 5550-${String(random.range(0, 9999)).padStart(4, '0')}`,
  website: (random) => `https://${random.pick(WORDS)}${random.range(0, 999)}.simulation.test`,
  birthDate: (random) => {
    const two = (number) => String(number).padStart(2, '0');
    return `${random.range(1950, 2005)}-${two(random.range(1, 12))}-${two(random.range(1, 28))}`;
  },
  search: (random) => random.pick(WORDS),
};
