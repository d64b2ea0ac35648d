//! What a journey draws: numbers, choices, pauses, made-up data. All of it comes from one small generator (sfc32) that the
//! session's seed starts, so that two sessions with the same seed and the same replies decide the same.

#include "session.h"

static uint32_t bits(vs_rng *rng) {
    const uint32_t sum = rng->a + rng->b + rng->counter;
    rng->counter += 1;
    rng->a = rng->b ^ (rng->b >> 9);
    rng->b = rng->c + (rng->c << 3);
    rng->c = ((rng->c << 21) | (rng->c >> 11)) + sum;
    return sum;
}

void vs_rng_seed(vs_rng *rng, uint64_t seed) {
    *rng = (vs_rng){(uint32_t)(seed >> 32), (uint32_t)seed, 0x9e3779b9, 1};
    for (int turn = 0; turn < 12; turn += 1) bits(rng);
}

double vs_float(vs_rng *rng) {
    return bits(rng) / 4294967296.0;
}

/// The natural logarithm of a number above 0, to some ten digits.
static double logarithm(double number) {
    int twos = 0;
    for (; number >= 1.5; number /= 2) twos += 1;
    for (; number < 0.75; number *= 2) twos -= 1;
    const double part = (number - 1) / (number + 1), square = part * part;
    double sum = 0, power = part;
    for (int odd = 1; odd < 20; odd += 2, power *= square) sum += power / odd;
    return 2 * sum + twos * 0.6931471805599453;
}

static double exponential(double number) {
    int twos = 0;
    for (; number > 0.35; number -= 0.6931471805599453) twos += 1;
    for (; number < -0.35; number += 0.6931471805599453) twos -= 1;
    double sum = 1, term = 1;
    for (int at = 1; at < 12; at += 1) sum += term *= number / at;
    for (; twos > 0; twos -= 1) sum *= 2;
    for (; twos < 0; twos += 1) sum /= 2;
    return sum;
}

uint32_t vs_log_normal(vs_rng *rng, uint32_t min, uint32_t max) {
    if (max <= min) return min < VS_MAX_DELAY_MS ? min : VS_MAX_DELAY_MS;
    const double low = logarithm(min > 0 ? min : 1), high = logarithm(max), middle = (low + high) / 2;
    // Twelve even draws add up to a normal one, near enough for people; the bounds lie two deviations away.
    double normal = 0;
    for (int attempt = 0; attempt < 4; attempt += 1) {
        double sum = -6;
        for (int draw = 0; draw < 12; draw += 1) sum += vs_float(rng);
        if (sum >= -2 && sum <= 2) {
            normal = sum;
            break;
        }
    }
    double millis = exponential(middle + (high - low) / 4 * normal) + 0.5;
    if (millis < min) millis = min;
    if (millis > max) millis = max;
    return millis < VS_MAX_DELAY_MS ? (uint32_t)millis : VS_MAX_DELAY_MS;
}

double vs_random(vs_me *me) {
    return vs_float(&me->session->rng);
}

int64_t vs_range(vs_me *me, int64_t min, int64_t max) {
    return min + (int64_t)(vs_random(me) * (double)(max - min + 1));
}

bool vs_chance(vs_me *me, double probability) {
    return vs_random(me) < probability;
}

/// A category that is `n` percentage points short has its weight multiplied by e^(n/3).
static double steered(vs_me *me, const vs_choice *choice) {
    if (choice->weight <= 0) return 0;
    if (choice->category == NULL) return choice->weight;
    const double wanted = vs_wanted(me, choice->category) / 3;
    const double bounded = wanted > 4.6 ? 4.6 : wanted < -4.6 ? -4.6 : wanted;
    return choice->weight * exponential(bounded);
}

size_t vs_choose(vs_me *me, const vs_choice *choices, size_t count) {
    double sum = 0;
    for (size_t at = 0; at < count; at += 1) sum += steered(me, &choices[at]);
    double rest = vs_random(me) * sum;
    size_t last = 0;
    for (size_t at = 0; at < count; at += 1) {
        const double weight = steered(me, &choices[at]);
        if (weight <= 0) continue;
        if (rest < weight) return at;
        rest -= weight;
        last = at; // rounding may leave a crumb
    }
    return last;
}

// ---- Pauses

static void pause_between(vs_me *me, uint32_t min, uint32_t max) {
    vs_wait(me, vs_log_normal(&me->session->rng, min, max));
}

static uint32_t span_of_pace(const vs_me *me) {
    return me->delay_max_ms > me->delay_min_ms ? me->delay_max_ms - me->delay_min_ms : 0;
}

void vs_think(vs_me *me) {
    pause_between(me, me->delay_min_ms, me->delay_max_ms);
}

void vs_think_long(vs_me *me) {
    pause_between(me, me->delay_min_ms + span_of_pace(me) / 2, me->delay_max_ms);
}

void vs_think_briefly(vs_me *me) {
    pause_between(me, me->delay_min_ms, me->delay_min_ms + span_of_pace(me) / 10);
}

static uint32_t within_pace(const vs_me *me, uint32_t ms) {
    const uint32_t above = ms < me->delay_max_ms ? ms : me->delay_max_ms;
    return above > me->delay_min_ms ? above : me->delay_min_ms;
}

void vs_think_between(vs_me *me, uint32_t min_ms, uint32_t max_ms) {
    pause_between(me, within_pace(me, min_ms), within_pace(me, max_ms));
}

void vs_wait(vs_me *me, uint32_t ms) {
    const uint32_t room = VS_MAX_DELAY_MS - me->session->delay_ms;
    const uint32_t more = ms < room ? ms : room;
    me->session->delay_ms += more;
    me->elapsed_ms += more;
}

// ---- Made-up data: nothing here names a real person, address or number

#define PICK(me, list) ((list)[(size_t)vs_range(me, 0, (int64_t)(sizeof(list) / sizeof *(list)) - 1)])

static const char *const FIRST[] = {"Ana", "Bruno", "Camila", "Daniel", "Helena", "João", "Larissa", "Rafael", "Alice", "Edward", "Grace", "Oliver"};
static const char *const LAST[] = {"Almeida", "Carvalho", "Conceição", "Ferreira", "Lima", "Moreira", "Santos", "Baker", "Clarke", "Hughes", "Parker", "Shaw"};
static const char *const CITIES[] = {"São Paulo", "Recife", "Curitiba", "Salvador", "Lisboa", "Porto", "London", "Bristol", "Dublin", "Seattle", "Toronto", "Wellington"};
static const char *const TRADES[] = {"arquiteta", "bibliotecário", "engenheira civil", "padeiro", "professora", "beekeeper", "carpenter", "gardener", "nurse", "translator"};
static const char *const LOVES[] = {"café coado", "choro e samba", "hortas urbanas", "xadrez", "board games", "cold water swimming", "long train rides", "old maps", "wild bees"};
static const char *const WORDS[] = {"ana", "bruno", "carlos", "lima", "maria", "santos", "silva", "alice", "baker", "george", "oliver", "user"};

char *vs_fake_name(vs_me *me) {
    const char *first = PICK(me, FIRST);
    return vs_text(me, "%s %s", first, PICK(me, LAST));
}

char *vs_fake_city(vs_me *me) {
    return vs_text(me, "%s", PICK(me, CITIES));
}

char *vs_fake_bio(vs_me *me) {
    const char *trade = PICK(me, TRADES), *loves = PICK(me, LOVES);
    return vs_text(me, "%s · %s · %s", trade, loves, PICK(me, CITIES));
}

char *vs_fake_phone(vs_me *me) {
    return vs_text(me, "+55 11 5550-%d", (int)vs_range(me, 1000, 9999));
}

char *vs_fake_website(vs_me *me) {
    const char *word = PICK(me, WORDS);
    return vs_text(me, "https://%s%d.simulation.test", word, (int)vs_range(me, 0, 999));
}

char *vs_fake_birth_date(vs_me *me) {
    const int year = (int)vs_range(me, 1950, 2005), month = (int)vs_range(me, 1, 12), day = (int)vs_range(me, 1, 28);
    return vs_text(me, "%d-%s%d-%s%d", year, month < 10 ? "0" : "", month, day < 10 ? "0" : "", day);
}

char *vs_fake_search(vs_me *me) {
    return vs_text(me, "%s", PICK(me, WORDS));
}
