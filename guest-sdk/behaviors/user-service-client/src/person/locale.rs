//! What people of a language are called, where they live, what they do and like. `person` puts a person together from
//! one locale, so that everything about them agrees. Nothing here is anybody's: the telephone numbers are of ranges that
//! are kept for fiction or given to nobody.
//!
//! The crate `fake` was tried and does not fit: it brings `rand` with its default features, whose `getrandom` does not
//! build for wasm32-unknown-unknown without an import that the contract has not; its phone numbers may be somebody's, its
//! cities are made of syllables, and nothing of one person agrees with the rest. Its names alone are 60 KB a module.

use std::ops::Range;

/// A city, and what telephone numbers there begin with.
pub(crate) struct City {
    pub(crate) name: &'static str,
    /// With its state or country, as some write it.
    pub(crate) wide: &'static str,
    pub(crate) phone: &'static str,
    /// How many digits more a number has.
    pub(crate) digits: usize,
}

/// A trade, as a woman and as a man say it, and the years of birth that go with it.
pub(crate) struct Trade {
    pub(crate) woman: &'static str,
    pub(crate) man: &'static str,
    pub(crate) born: Range<u16>,
}

/// People of one language.
pub(crate) struct Locale {
    /// As BCP 47 has it.
    pub(crate) tag: &'static str,
    /// The most usual first; so with all names.
    pub(crate) women: [&'static str; 12],
    pub(crate) men: [&'static str; 12],
    pub(crate) last: [&'static str; 16],
    /// First and last names that nobody here has.
    pub(crate) unknown: [(&'static str, &'static str); 6],
    pub(crate) cities: [City; 8],
    pub(crate) trades: [Trade; 10],
    pub(crate) likes: [&'static str; 12],
    /// Between two things that someone likes.
    pub(crate) and: &'static str,
    /// What an address on the web begins with.
    pub(crate) page: &'static str,
}

const fn city(name: &'static str, wide: &'static str, phone: &'static str, digits: usize) -> City {
    City {
        name,
        wide,
        phone,
        digits,
    }
}

const fn trade(woman: &'static str, man: &'static str, born: Range<u16>) -> Trade {
    Trade { woman, man, born }
}

/// Those who have just begun, who work, and who have worked.
const YOUNG: Range<u16> = 2000..2007;
const GROWN: Range<u16> = 1962..2000;
const OLD: Range<u16> = 1948..1960;

pub(crate) static LOCALES: [Locale; 2] = [
    Locale {
        tag: "pt-BR",
        women: [
            "Maria",
            "Ana",
            "Júlia",
            "Beatriz",
            "Larissa",
            "Camila",
            "Fernanda",
            "Letícia",
            "Helena",
            "Luíza",
            "Débora",
            "Rosângela",
        ],
        men: [
            "João", "José", "Lucas", "Pedro", "Gabriel", "Rafael", "Bruno", "Thiago", "Marcelo",
            "Antônio", "Otávio", "Joaquim",
        ],
        last: [
            "Silva",
            "Santos",
            "Oliveira",
            "Souza",
            "Lima",
            "Pereira",
            "Ferreira",
            "Costa",
            "Almeida",
            "Ribeiro",
            "Carvalho",
            "Gonçalves",
            "Araújo",
            "Barbosa",
            "Moreira",
            "Conceição",
        ],
        unknown: [
            ("genoveva", "quaresma"),
            ("evaristo", "bulhões"),
            ("quitéria", "fagundes"),
            ("belarmino", "xavantes"),
            ("hermínia", "tourinho"),
            ("tibúrcio", "escorel"),
        ],
        // Mobile numbers begin with 96 to 99: those with 90 are given to nobody.
        cities: [
            city("São Paulo", "São Paulo, SP", "+55 11 90", 7),
            city("Rio de Janeiro", "Rio de Janeiro, RJ", "+55 21 90", 7),
            city("Belo Horizonte", "Belo Horizonte, MG", "+55 31 90", 7),
            city("Salvador", "Salvador, BA", "+55 71 90", 7),
            city("Curitiba", "Curitiba, PR", "+55 41 90", 7),
            city("Recife", "Recife, PE", "+55 81 90", 7),
            city("Florianópolis", "Florianópolis, SC", "+55 48 90", 7),
            city("Belém", "Belém, PA", "+55 91 90", 7),
        ],
        trades: [
            trade("professora", "professor", GROWN),
            trade("engenheira civil", "engenheiro civil", GROWN),
            trade("estudante de direito", "estudante de direito", YOUNG),
            trade("enfermeira", "enfermeiro", GROWN),
            trade("arquiteta", "arquiteto", GROWN),
            trade("bibliotecária", "bibliotecário", GROWN),
            trade("analista de dados", "analista de dados", GROWN),
            trade("professora aposentada", "professor aposentado", OLD),
            trade("padeira", "padeiro", GROWN),
            trade("estudante de música", "estudante de música", YOUNG),
        ],
        likes: [
            "café coado",
            "trilhas e cachoeiras",
            "choro e samba",
            "feiras de livros",
            "fotografia analógica",
            "hortas urbanas",
            "pão de fermentação natural",
            "xadrez",
            "corrida de rua",
            "cinema brasileiro",
            "cerâmica",
            "observação de aves",
        ],
        and: " e ",
        page: "https://sobre",
    },
    Locale {
        tag: "en",
        women: [
            "Emily",
            "Olivia",
            "Amelia",
            "Sophie",
            "Grace",
            "Charlotte",
            "Alice",
            "Victoria",
            "Hannah",
            "Lucy",
            "Eleanor",
            "Zoë",
        ],
        men: [
            "James", "Oliver", "George", "Harry", "Jack", "Thomas", "William", "Daniel", "Samuel",
            "Henry", "Edward", "Noël",
        ],
        last: [
            "Smith", "Jones", "Taylor", "Brown", "Wilson", "Walker", "Wright", "Clarke", "Turner",
            "Parker", "Bennett", "Cooper", "Morgan", "Harrison", "Marshall", "O'Connor",
        ],
        unknown: [
            ("ottoline", "featherstone"),
            ("barnaby", "wigglesworth"),
            ("philippa", "thistlewood"),
            ("ignatius", "cholmondeley"),
            ("perpetua", "goldsworthy"),
            ("algernon", "quiddington"),
        ],
        // Ranges that Ofcom and the North American plan keep for fiction.
        cities: [
            city("London", "London, UK", "+44 20 7946 0", 3),
            city("Manchester", "Manchester, UK", "+44 161 496 0", 3),
            city("Leeds", "Leeds, UK", "+44 113 496 0", 3),
            city("Bristol", "Bristol, UK", "+44 117 496 0", 3),
            city("Edinburgh", "Edinburgh, Scotland", "+44 131 496 0", 3),
            city("Boston", "Boston, MA", "+1 617 555 01", 2),
            city("Chicago", "Chicago, IL", "+1 312 555 01", 2),
            city("Seattle", "Seattle, WA", "+1 206 555 01", 2),
        ],
        trades: [
            trade("teacher", "teacher", GROWN),
            trade("civil engineer", "civil engineer", GROWN),
            trade("law student", "law student", YOUNG),
            trade("nurse", "nurse", GROWN),
            trade("architect", "architect", GROWN),
            trade("librarian", "librarian", GROWN),
            trade("data analyst", "data analyst", GROWN),
            trade("retired teacher", "retired teacher", OLD),
            trade("baker", "baker", GROWN),
            trade("music student", "music student", YOUNG),
        ],
        likes: [
            "board games",
            "cold water swimming",
            "long train rides",
            "old maps",
            "street food",
            "wild bees",
            "crosswords",
            "film photography",
            "sourdough",
            "choir on Thursdays",
            "allotment gardening",
            "bird watching",
        ],
        and: " and ",
        page: "https://about",
    },
];
