//! The executor from outside, through the harness: how journeys become steps. Every test is one promise that authors of
//! journeys rely on. Built and run by `tests/run`.

#undef NDEBUG
#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "../sdk/harness.h"

static const vs_route LOGIN = {VS_POST, "/login", "auth"}, REFRESH = {VS_POST, "/refresh", "auth"};
static const vs_route LOGOUT = {VS_POST, "/logout", "auth"};
static const vs_route PLAIN = {VS_GET, "/b", "query"}, TWO = {VS_GET, "/a/{x}/{y}", "query"};
static const vs_route UNDECLARED = {VS_GET, "/nowhere", "query"};

typedef struct {
    vs_tokens bearer, other;
    unsigned at;
    char text[64];
} notes;

/// Play a journey with these routes; `otherwise` answers what the script does not.
static const vs_played *play(vs_turn (*journey)(vs_me *), vs_script script) {
    static vs_scripted replies[32];
    size_t count = 0;
    for (; script.replies != NULL && script.replies[count].route != NULL; count += 1) replies[count] = script.replies[count];
    const vs_scripted otherwise[] = {{"GET /b", 200, "{}"}, {"GET /a/{x}/{y}", 200, "{}"}, {"POST /logout", 204}, {"POST /login", 200, "{}"}};
    for (size_t at = 0; at < 4; at += 1) {
        bool there = false;
        for (size_t with = 0; with < count; with += 1) there |= strcmp(replies[with].route, otherwise[at].route) == 0;
        if (!there) replies[count++] = otherwise[at];
    }
    replies[count] = (vs_scripted){0};
    script.replies = replies;
    const vs_behavior behavior = {
        .name = "test",
        .version = "0.0.0",
        .routes = (const vs_route *const[]){&LOGIN, &REFRESH, &LOGOUT, &PLAIN, &TWO, NULL},
        .login = &LOGIN,
        .refresh = &REFRESH,
        .logout = &LOGOUT,
        .journey = journey,
        .cleanup = journey,
        .state = sizeof(notes),
    };
    return vs_play(&behavior, &script);
}

static bool is(const char *text, const char *wanted) {
    if (text != NULL && strcmp(text, wanted) == 0) return true;
    fprintf(stderr, "%s, where %s should be\n", text != NULL ? text : "nothing", wanted);
    return false;
}

static vs_turn pausing(vs_me *me) {
    VS_BEGIN(me);
    vs_wait(me, 30);
    vs_wait(me, 12);
    VS_SEND(me, &PLAIN);
    vs_think(me);
    VS_SEND(me, &PLAIN);
    vs_wait(me, 5);
    VS_END(me);
}

static void a_pause_and_what_follows_are_one_step(void) {
    const vs_played *played = play(pausing, (vs_script){.delay_min_ms = 700, .delay_max_ms = 700});
    assert(vs_ended(played, "completed") && played->request_count == 2);
    assert(played->requests[0].delay_ms == 42 && played->requests[1].delay_ms == 700);
    assert(played->elapsed_ms == 42 + 1 + 700 + 1 + 5);
}

static vs_turn thinking(vs_me *me) {
    notes *my = me->state;
    VS_BEGIN(me);
    for (my->at = 0; my->at < 400; my->at += 1) {
        const uint64_t before = me->elapsed_ms;
        my->at % 4 == 0 ? vs_think(me) : my->at % 4 == 1 ? vs_think_long(me) : my->at % 4 == 2 ? vs_think_briefly(me) : vs_think_between(me, 10, 400);
        vs_observe(me, "pause", (double)(me->elapsed_ms - before));
        VS_SEND(me, &PLAIN);
    }
    VS_END(me);
}

static void pauses_keep_within_the_pace(void) {
    const double bounds[4][2] = {{100, 2000}, {1050, 2000}, {100, 290}, {100, 400}};
    const vs_played *played = play(thinking, (vs_script){0});
    assert(vs_ended(played, "completed") && played->observed_count == 400);
    double sum = 0;
    for (size_t at = 0; at < 400; at += 1) {
        const double pause = played->observed[at].value;
        assert(pause >= bounds[at % 4][0] && pause <= bounds[at % 4][1]);
        if (at % 4 == 0) sum += pause;
    }
    assert(sum / 100 > 400 && sum / 100 < 750); // the geometric mean of the bounds is 447, the mean is beyond it
    assert(play(thinking, (vs_script){.without_pauses = true})->elapsed_ms == 400);
}

static vs_turn together(vs_me *me) {
    VS_BEGIN(me);
    VS_ALL(me, {&TWO, .args = {"0", "ü /"}}, {&TWO, .args = {vs_number(me, 1), "y"}, .query = {{"q", "a&b"}, {"n", NULL}, {"p", "1"}}},
           {&PLAIN, .headers = {{"x-a", "b"}}, .category = "auth", .timeout_ms = 50});
    vs_check(me, "in order", me->reply_count == 3 && vs_is(me->reply[0].body, "0") && vs_is(me->reply[1].body, "1"));
    VS_TOGETHER(me, ;);
    VS_TOGETHER(me, for (unsigned n = 0; n < 5; n += 1) vs_add(me, &(vs_call){&PLAIN}););
    VS_END(me);
}

static void what_is_sent_together_is_one_step_and_comes_back_in_order(void) {
    const vs_played *played = play(together, (vs_script){(const vs_scripted[]){{"GET /a/{x}/{y}", 200, "0"}, {"GET /a/{x}/{y}", 200, "1"}, {0}}});
    assert(vs_ended(played, "completed") && played->request_count == 8 && played->checks[0].passed);
    assert(played->requests[0].step == 0 && played->requests[2].step == 0);
    assert(played->requests[3].step == 2 && played->requests[7].step == 2); // what sends nothing is a step of its own
    assert(is(played->requests[0].path, "/a/0/%C3%BC%20%2F") && is(played->requests[1].path, "/a/1/y?q=a%26b&p=1"));
    assert(is(played->requests[2].category, "auth") && played->requests[2].timeout_ms == 50);
}

static vs_turn stubborn(vs_me *me) {
    VS_BEGIN(me);
    for (;;) VS_TRY(me, &PLAIN);
    VS_END(me);
}

static vs_turn crowded(vs_me *me) {
    VS_BEGIN(me);
    VS_ALL(me, {&PLAIN}, {&PLAIN}, {&PLAIN}, {&PLAIN}, {&PLAIN});
    VS_END(me);
}

static void a_spent_budget_ends_the_session_quietly(void) {
    const vs_played *played = play(stubborn, (vs_script){.budget = 3});
    assert(vs_ended(played, "abandoned") && played->request_count == 3);
    played = play(crowded, (vs_script){.budget = 3});
    assert(vs_ended(played, "abandoned") && played->request_count == 3);
    played = play(stubborn, (vs_script){(const vs_scripted[]){{"GET /b", .failure = VS_STOPPED}, {0}}});
    assert(vs_ended(played, "abandoned") && played->request_count == 1);
}

static vs_turn insisting(vs_me *me) {
    VS_BEGIN(me);
    VS_SEND(me, &PLAIN);
    VS_EXPECT(me, 201);
    VS_NEED(me, vs_read_raw(me->reply->body, "data").at != NULL, "`data`");
    VS_END(me);
}

static vs_turn looking(vs_me *me) {
    VS_BEGIN(me);
    VS_TRY(me, &PLAIN);
    vs_check(me, "the kind", me->reply->failure == VS_RESET && me->reply->status == 0);
    VS_END(me);
}

static vs_turn undeclared(vs_me *me) {
    VS_BEGIN(me);
    VS_SEND(me, &UNDECLARED);
    VS_END(me);
}

static vs_turn unfilled(vs_me *me) {
    VS_BEGIN(me);
    VS_SEND(me, &TWO, .args = {"1"});
    VS_END(me);
}

static void errors_end_the_session_as_they_should(void) {
    assert(vs_ended(play(insisting, (vs_script){0}), "abandoned"));
    assert(vs_ended(play(insisting, (vs_script){(const vs_scripted[]){{"GET /b", .failure = VS_TIMEOUT}, {0}}}), "abandoned"));
    const vs_played *odd = play(insisting, (vs_script){(const vs_scripted[]){{"GET /b", 201, "nonsense"}, {0}}});
    assert(vs_ended(odd, "abandoned") && is(odd->logs[0], "unexpected body: `data`"));
    const vs_played *seen = play(looking, (vs_script){(const vs_scripted[]){{"GET /b", .failure = VS_RESET}, {0}}});
    assert(vs_ended(seen, "completed") && seen->checks[0].passed);
    assert(is(play(undeclared, (vs_script){0})->error, "GET /nowhere is not among the behavior's routes: declare it there"));
    assert(is(play(unfilled, (vs_script){0})->error, "GET /a/{x}/{y}: .args has to give one text for each {placeholder}"));
}

static vs_turn drawing(vs_me *me) {
    unsigned queries = 0;
    VS_BEGIN(me);
    const vs_choice choices[] = {{3, "query"}, {1, "auth"}, {0, "query"}};
    for (unsigned n = 0; n < 4000; n += 1) {
        const size_t drawn = vs_choose(me, choices, 3);
        queries += drawn == 0;
        if (drawn == 2) return vs_fail(me, "drew what has no weight");
    }
    vs_observe(me, "queries", queries / 4000.0);
    const char *bio = vs_fake_bio(me), *date = vs_fake_birth_date(me);
    vs_log(me, VS_INFO, vs_text(me, "%s %s %s %d", vs_fake_name(me), bio, date, (int)vs_range(me, 1, 6)));
    VS_END(me);
}

static void choices_follow_their_weights_the_mix_and_the_seed(void) {
    const double even = play(drawing, (vs_script){0})->observed[0].value;
    assert(even > 0.72 && even < 0.78);
    char first[256];
    snprintf(first, sizeof first, "%s", play(drawing, (vs_script){0})->logs[0]);
    assert(is(play(drawing, (vs_script){0})->logs[0], first));
    assert(strcmp(play(drawing, (vs_script){.seed = 2})->logs[0], first) != 0);
    const float wanted[] = {6, 0}; // auth is declared first
    assert(play(drawing, (vs_script){.wanted = wanted})->observed[0].value < 0.35);
}

#define GRANT(token) "{\"access_token\":\"" token "\",\"refresh_token\":\"" token "-again\",\"expires_in\":100}"

static vs_turn renewing(vs_me *me) {
    notes *my = me->state;
    VS_BEGIN(me);
    my->bearer.name = "a@example.test";
    my->bearer.password = "se\"cret";
    VS_ALL(me, {&PLAIN, .bearer = &my->bearer}, {&PLAIN, .bearer = &my->bearer});
    vs_wait(me, 85000);
    VS_ALL(me, {&PLAIN, .bearer = &my->bearer}, {&PLAIN, .bearer = &my->bearer});
    VS_LOGOUT(me, &my->bearer);
    VS_LOGOUT(me, &my->bearer);
    VS_END(me);
}

static vs_turn refused(vs_me *me) {
    notes *my = me->state;
    VS_BEGIN(me);
    my->bearer.name = my->other.name = "a";
    my->bearer.password = my->other.password = "b";
    VS_ALL(me, {&PLAIN, .bearer = &my->bearer, .capture = VS_EVERYTHING}, {&TWO, .args = {"1", "2"}, .bearer = &my->bearer});
    vs_check(me, "both", me->reply[0].status == 200 && me->reply[1].status == 200);
    vs_check(me, "the first is kept", vs_is(me->reply[0].body, "first") && vs_is(vs_header_of(me->reply, "content-type"), "application/json"));
    vs_check(me, "the second came anew", vs_is(me->reply[1].body, "second"));
    VS_TRY(me, &PLAIN, .bearer = &my->bearer, .fault = VS_BAD_CREDENTIALS);
    vs_check(me, "a fault stays", me->reply->status == 401);
    VS_SEND(me, &TWO, .args = {"3", "4"}, .bearer = &my->other);
    VS_END(me);
}

static void tokens_log_in_once_renew_before_they_expire_and_survive_a_401(void) {
    const vs_played *played = play(renewing, (vs_script){(const vs_scripted[]){{"POST /login", 200, GRANT("one")}, {"POST /refresh", 200, GRANT("two")}, {0}}});
    assert(vs_ended(played, "completed") && played->request_count == 7);
    const char *const bearers[] = {"-", "Bearer one", "Bearer one", "-", "Bearer two", "Bearer two", "Bearer two"};
    for (size_t at = 0; at < 7; at += 1) {
        assert(is(played->requests[at].authorization != NULL ? played->requests[at].authorization : "-", bearers[at]));
    }
    assert(is(played->requests[0].body, "{\"email\":\"a@example.test\",\"password\":\"se\\\"cret\"}"));
    assert(is(played->requests[3].body, "{\"refresh_token\":\"one-again\"}"));
    assert(is(played->requests[6].route, "POST /logout"));

    played = play(refused, (vs_script){(const vs_scripted[]){{"POST /login", 200, GRANT("one")},
                                                             {"POST /login", 200, GRANT("two")},
                                                             {"GET /b", 200, "first"},
                                                             {"GET /b", 401},
                                                             {"GET /a/{x}/{y}", 401},
                                                             {"GET /a/{x}/{y}", 200, "second"},
                                                             {0}}});
    assert(vs_ended(played, "completed") && played->request_count == 8);
    for (size_t at = 0; at < played->check_count; at += 1) assert(played->checks[at].passed);
    assert(is(played->requests[4].authorization, "Bearer two") && is(played->requests[4].path, "/a/1/2"));
    assert(is(played->requests[6].route, "POST /login"));

    played = play(renewing, (vs_script){(const vs_scripted[]){{"POST /login", 200, "{\"token\":1}"}, {0}}});
    assert(vs_ended(played, "abandoned") && played->log_count == 1);
}

static vs_turn lasting(vs_me *me) {
    notes *my = me->state;
    VS_BEGIN(me);
    my->bearer = (vs_tokens){.name = "admin", .password = "secret", .lasting = true};
    VS_LOGIN(me, &my->bearer);
    vs_wait(me, 85000);
    VS_SEND(me, &PLAIN, .bearer = &my->bearer); // renews
    VS_LOGIN(me, &my->bearer);                  // the session of the one before lives on
    VS_ALL(me, {&PLAIN, .bearer = &my->bearer}, {&PLAIN, .bearer = &my->bearer});
    VS_LOGOUT(me, &my->bearer);
    vs_check(me, "out", my->bearer.bearer == NULL);
    VS_END(me);
}

static void tokens_of_a_lasting_account_are_marked_while_they_live(void) {
    const char *const marks[] = {"token:Bearer one", "token:Bearer two", "token:Bearer three", "token:Bearer four"};
    const struct { unsigned status; size_t left; } logouts[] = {{204, 1}, {401, 1}, {503, 2}};
    for (size_t way = 0; way < 3; way += 1) {
        const vs_scripted replies[] = {{"POST /login", 200, GRANT("one")}, {"POST /login", 200, GRANT("three")},
                                       {"POST /login", 200, GRANT("four")}, {"POST /refresh", 200, GRANT("two")},
                                       {"GET /b", 200}, {"GET /b", 401}, {"GET /b", 401}, {"GET /b", 200},
                                       {"POST /logout", logouts[way].status}, {0}};
        const vs_played *played = play(lasting, (vs_script){replies});
        const bool well = logouts[way].status == 204;
        assert(vs_ended(played, well ? "completed" : "abandoned") && played->mark_count == 4);
        assert(!well || played->checks[0].passed);
        for (size_t at = 0; at < 4; at += 1) assert(is(played->marks[at], marks[at]));
        assert(vs_left_behind(played) == logouts[way].left);
        assert(vs_was_unmarked(played, "token:Bearer one") && vs_was_unmarked(played, "token:Bearer three"));
        assert(vs_was_unmarked(played, "token:Bearer four") == (logouts[way].left == 1));
    }
    assert(play(renewing, (vs_script){(const vs_scripted[]){{"POST /login", 200, GRANT("one")}, {"POST /refresh", 200, GRANT("two")}, {0}}})->mark_count == 0);
}

static vs_turn tidying(vs_me *me) {
    VS_BEGIN(me);
    VS_LOGOUT_MARKED(me);
    vs_check(me, "goes on", me->mark_count == 7);
    VS_LOGOUT_MARKED(me);
    VS_END(me);
}

static void a_cleanup_logs_out_the_tokens_among_its_marks(void) {
    const char *const marks[] = {"user:a", "token:Bearer a", "token:Bearer b", "token:Bearer c", "token:Bearer d", "token:Bearer e", "role:b", NULL};
    const vs_scripted replies[] = {{"POST /logout", 204}, {"POST /logout", 503}, {"POST /logout", 401}, {"POST /logout", 429},
                                   {"POST /logout", .failure = VS_TIMEOUT}, {0}};
    const vs_played *played = play(tidying, (vs_script){replies, .cleanup = marks});
    assert(vs_ended(played, "completed") && played->check_count == 1 && played->checks[0].passed);
    assert(played->request_count == 5 && is(played->requests[3].authorization, "Bearer d"));
    assert(played->unmark_count == 2 && vs_was_unmarked(played, marks[1]) && vs_was_unmarked(played, marks[3]));
    assert(played->log_count == 3 && is(played->logs[0], "cleanup: a token stays: status 503"));
    assert(is(played->logs[2], "cleanup: a token stays: no response"));
    const char *const none[] = {"user:a", NULL};
    assert(vs_ended(play(tidying, (vs_script){.cleanup = none}), "completed"));
}

static vs_turn telling(vs_me *me) {
    VS_BEGIN(me);
    const vs_fault fault = vs_take_fault(me);
    vs_check(me, "taken once", fault == VS_NOT_FOUND && vs_take_fault(me) == VS_NO_FAULT);
    VS_SEND(me, &PLAIN, .mark = "user:x", .json = vs_object(me, "name", vs_string(me, "João ✓\n\"")), .fault = VS_NOT_FOUND);
    vs_unmark(me, "user:x");
    vs_mark(me, "role:y");
    vs_check(me, "a feed", vs_read_count(vs_feed(me, "rows"), "") == 2);
    VS_END(me);
}

static void marks_faults_feeds_and_bodies_reach_the_host_as_they_are(void) {
    const vs_played *played = play(telling, (vs_script){.fault = VS_NOT_FOUND, .feed = "[1,2]"});
    assert(vs_ended(played, "completed") && played->checks[0].passed && played->checks[1].passed);
    assert(vs_left_behind(played) == 1 && is(played->requests[0].body, "{\"name\":\"João ✓\\u000a\\\"\"}"));
}

static void json_is_read_by_its_path(void) {
    const vs_span json = vs_span_of(" { \"a\\\"\" : [ ], \"data\" : { \"list\":[ 1 , {\"n\":\"J\\u00e3o \\ud83d\\udc1d \\\\\"}, -2.5e1 ], \"no\": false } } ");
    char text[32];
    double number = 0;
    bool truth = true;
    assert(VS_READ(json, "data.list.1.n", text) && is(text, "Jão 🐝 \\"));
    assert(vs_read_number(json, "data.list.2", &number) && number == -25);
    assert(vs_read_bool(json, "data.no", &truth) && !truth);
    assert(vs_read_count(json, "data.list") == 3 && vs_read_count(json, "data") == 2 && vs_read_count(json, "") == 2);
    assert(vs_read_count(json, "data.no") == 0 && !VS_READ(json, "data.list.3", text) && !VS_READ(json, "data.list.0", text));
    char small[5];
    assert(VS_READ(json, "data.list.1.n", small) && is(small, "Jão"));
    // Whatever a target sends, the reader stays within it.
    for (size_t size = 0; size < json.size; size += 1) {
        const vs_span cut = {json.at, size};
        VS_READ(cut, "data.list.1.n", text);
        vs_read_count(cut, "data.list");
        vs_read_number(cut, "data.list.2", &number);
    }
    const char *const odd[] = {"", "{", "[", "]", "\"", "\"\\", "{\"a\"", "{\"a\":", "[1,", "nul", "{\"data\":{\"n\":\"\\ud800\"}}", "{]", "[[[[[["};
    for (size_t at = 0; at < sizeof odd / sizeof *odd; at += 1) {
        VS_READ(vs_span_of(odd[at]), "data.n", text);
        vs_read_count(vs_span_of(odd[at]), "");
        VS_READ(vs_span_of(odd[at]), "0.a", text);
    }
}

int main(void) {
    a_pause_and_what_follows_are_one_step();
    pauses_keep_within_the_pace();
    what_is_sent_together_is_one_step_and_comes_back_in_order();
    a_spent_budget_ends_the_session_quietly();
    errors_end_the_session_as_they_should();
    choices_follow_their_weights_the_mix_and_the_seed();
    tokens_log_in_once_renew_before_they_expire_and_survive_a_401();
    tokens_of_a_lasting_account_are_marked_while_they_live();
    a_cleanup_logs_out_the_tokens_among_its_marks();
    marks_faults_feeds_and_bodies_reach_the_host_as_they_are();
    json_is_read_by_its_path();
    return 0;
}
