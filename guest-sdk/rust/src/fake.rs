//! Made-up data: people, cities and what they say of themselves, Portuguese and English. Journeys call these on
//! [`Me`]; nothing here names a real person, address or number.

use fastrand::Rng;

use crate::Me;

const FIRST: [&str; 32] = [
    "Ana",
    "Beatriz",
    "Bruno",
    "Camila",
    "Carlos",
    "Daniel",
    "Eduarda",
    "Fernanda",
    "Gabriel",
    "Helena",
    "Isabel",
    "João",
    "Larissa",
    "Lucas",
    "Mariana",
    "Rafael",
    "Alice",
    "Amelia",
    "Charlotte",
    "Edward",
    "Emily",
    "George",
    "Grace",
    "Harry",
    "Jack",
    "James",
    "Lily",
    "Oliver",
    "Sophie",
    "Thomas",
    "Victoria",
    "William",
];
const LAST: [&str; 32] = [
    "Almeida",
    "Barbosa",
    "Carvalho",
    "Conceição",
    "Costa",
    "Duarte",
    "Ferreira",
    "Gonçalves",
    "Lima",
    "Magalhães",
    "Moreira",
    "Oliveira",
    "Pereira",
    "Ribeiro",
    "Santos",
    "Teixeira",
    "Baker",
    "Bennett",
    "Carter",
    "Clarke",
    "Cooper",
    "Foster",
    "Harrison",
    "Hughes",
    "Marshall",
    "Morgan",
    "Palmer",
    "Parker",
    "Shaw",
    "Turner",
    "Walker",
    "Wright",
];
const CITIES: [&str; 20] = [
    "São Paulo",
    "Rio de Janeiro",
    "Belo Horizonte",
    "Curitiba",
    "Recife",
    "Salvador",
    "Florianópolis",
    "Lisboa",
    "Porto",
    "Coimbra",
    "London",
    "Manchester",
    "Bristol",
    "Dublin",
    "Boston",
    "Chicago",
    "Seattle",
    "Toronto",
    "Sydney",
    "Wellington",
];
const TRADES: [&str; 16] = [
    "arquiteta",
    "bibliotecário",
    "designer de jogos",
    "engenheira civil",
    "fotógrafa",
    "padeiro",
    "professora",
    "veterinário",
    "beekeeper",
    "carpenter",
    "data analyst",
    "gardener",
    "nurse",
    "product manager",
    "teacher",
    "translator",
];
const LOVES: [&str; 16] = [
    "cachoeiras e trilhas",
    "café coado",
    "choro e samba",
    "feiras de livros",
    "fotografia analógica",
    "hortas urbanas",
    "pão de fermentação natural",
    "xadrez",
    "board games",
    "cold water swimming",
    "long train rides",
    "old maps",
    "open source",
    "rainy mornings",
    "street food",
    "wild bees",
];
const WORDS: [&str; 20] = [
    "ana",
    "bruno",
    "carlos",
    "costa",
    "lima",
    "maria",
    "santos",
    "silva",
    "souza",
    "alice",
    "baker",
    "emily",
    "george",
    "jack",
    "morgan",
    "oliver",
    "parker",
    "sim_user",
    "simulation",
    "user",
];

/// Made-up data.
impl Me {
    /// A first and a last name.
    pub fn fake_name(&self) -> String {
        self.with_rng(|rng| format!("{} {}", one(rng, &FIRST), one(rng, &LAST)))
    }

    /// A city.
    pub fn fake_city(&self) -> &'static str {
        self.with_rng(|rng| one(rng, &CITIES))
    }

    /// What someone says of themselves, in a sentence or two.
    pub fn fake_bio(&self) -> String {
        self.with_rng(|rng| {
            let (trade, love, other) = (one(rng, &TRADES), one(rng, &LOVES), one(rng, &LOVES));
            match rng.u8(0..3) {
                0 => format!("{trade}, {love}."),
                1 => format!("{trade}. {love} & {other}."),
                _ => format!("{trade} · {} · {love}", one(rng, &CITIES)),
            }
        })
    }

    /// A telephone number that no one has.
    pub fn fake_phone(&self) -> String {
        self.with_rng(|rng| format!("+55 11 5550-{:04}", rng.u16(0..10_000)))
    }

    /// An address in the reserved domain `simulation.test`.
    pub fn fake_website(&self) -> String {
        self.with_rng(|rng| {
            format!(
                "https://{}{}.simulation.test",
                one(rng, &WORDS[..17]),
                rng.u16(0..1000)
            )
        })
    }

    /// A date of birth, `YYYY-MM-DD`.
    pub fn fake_birth_date(&self) -> String {
        self.with_rng(|rng| {
            format!(
                "{}-{:02}-{:02}",
                rng.u16(1950..2006),
                rng.u8(1..=12),
                rng.u8(1..=28)
            )
        })
    }

    /// A word that someone may search people by.
    pub fn fake_search(&self) -> &'static str {
        self.with_rng(|rng| one(rng, &WORDS))
    }
}

fn one(rng: &mut Rng, items: &[&'static str]) -> &'static str {
    items[rng.usize(..items.len())]
}
