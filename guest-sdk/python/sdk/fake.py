"""Made-up data: people, cities and what they say of themselves, Portuguese and English. `Me` draws from these lists;
nothing here names a real person, address or number.
"""

FIRST = ("Ana", "Bruno", "Camila", "Daniel", "Helena", "João", "Larissa", "Rafael", "Alice", "Edward", "Grace", "Oliver")
LAST = ("Almeida", "Carvalho", "Conceição", "Ferreira", "Lima", "Moreira", "Santos", "Baker", "Clarke", "Hughes", "Shaw")
CITIES = ("São Paulo", "Recife", "Curitiba", "Salvador", "Lisboa", "Porto", "London", "Bristol", "Dublin", "Toronto")
TRADES = ("arquiteta", "bibliotecário", "padeiro", "professora", "beekeeper", "carpenter", "gardener", "nurse", "translator")
LOVES = ("café coado", "choro e samba", "hortas urbanas", "xadrez", "board games", "long train rides", "old maps", "wild bees")
WORDS = ("ana", "bruno", "carlos", "lima", "maria", "santos", "silva", "alice", "baker", "george", "oliver", "user")

FAKES = {
    "name": lambda rng: f"{rng.pick(FIRST)} {rng.pick(LAST)}",
    "city": lambda rng: rng.pick(CITIES),
    "bio": lambda rng: f"{rng.pick(TRADES)} · {rng.pick(LOVES)} · {rng.pick(CITIES)}",
    "phone": lambda rng: f"+55 11 5550-{rng.range(0, 9999):04}",
    "website": lambda rng: f"https://{rng.pick(WORDS)}{rng.range(0, 999)}.simulation.test",
    "birth_date": lambda rng: f"{rng.range(1950, 2005)}-{rng.range(1, 12):02}-{rng.range(1, 28):02}",
    "search": lambda rng: rng.pick(WORDS),
}
