//! What a behavior in C is written with: routes, journeys, requests, pauses, JSON, and what a journey may say and draw.
//! Behaviors include it, and the other files of this folder implement it. A journey is called anew for each step and goes on
//! where it waited, so that it reads top to bottom; what it needs after a request it keeps in its own state, not in locals.

#ifndef VESPEIRO_H
#define VESPEIRO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// ---- What a behavior is

typedef enum { VS_GET, VS_HEAD, VS_POST, VS_PUT, VS_PATCH, VS_DELETE, VS_OPTIONS } vs_method;

/// One route that a behavior may use: `{VS_GET, "/api/v1/users/{id}", "user-query"}`.
typedef struct {
    vs_method method;
    const char *path;
    const char *category;
} vs_route;

/// What a journey says at each step. The macros below return it, and so do vs_give_up and vs_fail.
typedef enum { VS_WAITS, VS_DONE, VS_GAVE_UP, VS_FAILED } vs_turn;

typedef struct vs_me vs_me;

/// A behavior: define one of these as `vs_behavior_of_module`.
typedef struct {
    const char *name;
    const char *version;
    /// Every route that it may use, then NULL.
    const vs_route *const *routes;
    /// Where vs_tokens logs in, renews and logs out; the last two may be left out.
    const vs_route *login, *refresh, *logout;
    /// What the login calls the account's name; `email` where left out.
    const char *login_name;
    vs_turn (*journey)(vs_me *me);
    /// Removes what `me->marks` names; may be left out.
    vs_turn (*cleanup)(vs_me *me);
    /// Size of what a session keeps from step to step: `me->state`, all zero when a session begins.
    size_t state;
} vs_behavior;

extern const vs_behavior vs_behavior_of_module;

// ---- What a journey is given

/// Text with its length, for what comes from the target. It is there until the next request is sent.
typedef struct {
    const char *at;
    size_t size;
} vs_span;

typedef enum { VS_NO_FAULT, VS_BAD_CREDENTIALS, VS_FORBIDDEN, VS_INVALID_DATA, VS_NOT_FOUND, VS_RATE_LIMIT } vs_fault;

typedef enum {
    VS_NO_FAILURE, VS_TIMEOUT, VS_CONNECT, VS_TLS, VS_RESET, VS_PROTOCOL, VS_TOO_LARGE, VS_CIRCUIT_OPEN, VS_STOPPED
} vs_failure;

typedef struct {
    vs_span name, value;
} vs_header;

/// What one request brought back.
typedef struct {
    /// HTTP status; 0 when there was no response.
    unsigned status;
    vs_failure failure;
    vs_span body;
    const vs_header *headers;
    size_t header_count;
    uint64_t latency_us;
} vs_reply;

typedef struct {
    uint32_t index;
    uint64_t seed;
    const char *username, *email, *password, *name;
} vs_user;

struct vs_session;

struct vs_me {
    vs_user user;
    /// How many sessions this user has begun before.
    uint32_t ordinal;
    /// Identifier of the run; goes into the name of whatever is created.
    const char *run;
    /// The archetype's configuration, a JSON object; the readers of JSON below read it.
    vs_span config;
    /// Bounds of the plan's pauses.
    uint32_t delay_min_ms, delay_max_ms;
    /// What cleanup has to remove, oldest first.
    const char *const *marks;
    size_t mark_count;
    /// Since the session began, pauses included.
    uint64_t elapsed_ms;
    /// How many more requests this user may send. At 0 the next request ends the session.
    uint32_t requests_left;
    /// The replies to what was sent last, in order; `reply` is the first of them.
    const vs_reply *reply;
    size_t reply_count;
    /// The journey's own state.
    void *state;
    /// The executor's.
    struct vs_session *session;
};

// ---- Requests

typedef enum { VS_BODY, VS_NOTHING, VS_HEADERS, VS_EVERYTHING } vs_capture;

typedef struct {
    const char *name, *value;
} vs_pair;

/// Tokens of an account: give it a name and a password that stay as long as the session. The account may be none of the
/// run's, such as an administrator's: it outlives the run, and so would its tokens. Say that it is `lasting`: they are marked
/// while they live, and cleanup logs out (VS_LOGOUT_MARKED) what a session that was cut could not. The rest is the SDK's.
typedef struct vs_tokens {
    const char *name, *password;
    bool lasting;
    char *bearer, *refresh;
    uint64_t due_ms;
    bool is_fresh;
    struct vs_tokens *next;
} vs_tokens;

/// One request. All but the route may be left out.
typedef struct {
    const vs_route *route;
    /// Fill the path's placeholders, in order: text, percent-encoded here, or vs_number.
    const char *args[4];
    vs_pair query[8];
    vs_pair headers[8];
    /// JSON text (see vs_object), sent as application/json.
    const char *json;
    /// Any other body.
    vs_span body;
    /// Sent with this account's token, which is got first, renewed before it expires, and got anew after a 401.
    vs_tokens *bearer;
    vs_capture capture;
    /// What this creates, `<kind>:<name>`: the host notes it before the request leaves.
    const char *mark;
    /// Set when the request is wrong on purpose.
    vs_fault fault;
    const char *category;
    uint32_t timeout_ms;
} vs_call;

/// The first and the last line of a journey, and of any part of one that VS_RUN runs. Between them, locals do not outlive a
/// request, and requests do not stand within a `switch` of your own.
#define VS_BEGIN(me)                              \
    const unsigned vs_frame = vs_enter(me);       \
    switch (*vs_line(me, vs_frame)) {             \
    case 0:
#define VS_END(me) \
    }              \
    return vs_leave(me, vs_frame)

/// Send one request and wait for its reply, `me->reply`; without a response the person gives up.
/// `VS_SEND(me, &USER, .args = {my->id}, .bearer = &my->bearer);`
#define VS_SEND(me, ...) VS_ALL(me, {__VA_ARGS__})
/// The same, whatever comes: look at `me->reply->failure`.
#define VS_TRY(me, ...) VS_TOGETHER_(me, false, const vs_call vs_one = {__VA_ARGS__}; vs_add(me, &vs_one);)
/// Send several together: `VS_ALL(me, {&USER, .args = {my->id}}, {&ROLES, …});` `me->reply[1]` is the second's.
#define VS_ALL(me, ...)                                                                          \
    VS_TOGETHER(me, const vs_call vs_calls[] = {__VA_ARGS__};                                    \
                for (size_t vs_at = 0; vs_at < sizeof vs_calls / sizeof *vs_calls; vs_at += 1) { \
                    vs_add(me, &vs_calls[vs_at]);                                                \
                })
/// Send together what these statements vs_add. They run again after a 401: change nothing in them.
#define VS_TOGETHER(me, ...) VS_TOGETHER_(me, true, __VA_ARGS__)
/// Log in now rather than with the first request; `me->reply` is the target's answer.
#define VS_LOGIN(me, tokens) VS_WAIT_(me, true, return vs_log_in(me, tokens);)
/// Log out and forget the tokens; nothing is sent where there is none.
#define VS_LOGOUT(me, tokens) VS_WAIT_(me, true, if (vs_has_logout(me, tokens)) return vs_log_out(me, tokens);)
/// For a cleanup: log out the tokens among the marks, one by one. A token keeps its mark where the target does not let it go.
#define VS_LOGOUT_MARKED(me) VS_WAIT_(me, false, if (vs_has_marked(me)) return vs_log_out_marked(me);)
/// Run a part of the journey, a function of the same form: `VS_RUN(me, mistake(me));`
#define VS_RUN(me, part)                      \
    do {                                      \
        *vs_line(me, vs_frame) = __LINE__;    \
        __attribute__((fallthrough));         \
    case __LINE__:;                           \
        const vs_turn vs_said = (part);       \
        if (vs_said != VS_DONE) return vs_said; \
    } while (0)

/// Go on only with one of these statuses; otherwise the person gives up.
#define VS_EXPECT(me, ...) VS_EXPECT_OF(me, (me)->reply, __VA_ARGS__)
#define VS_EXPECT_OF(me, reply, ...)                                                                       \
    do {                                                                                                   \
        const unsigned vs_these[] = {__VA_ARGS__};                                                         \
        if (!vs_is_one_of((reply)->status, vs_these, sizeof vs_these / sizeof *vs_these)) return VS_GAVE_UP; \
    } while (0)
/// Go on only when this holds of what the target said; otherwise the person gives up, and the log says what was missing.
#define VS_NEED(me, holds, what)                              \
    do {                                                      \
        if (!(holds)) return vs_unexpected_body(me, what);    \
    } while (0)

/// End the session: the person gives up, or the behavior itself is wrong.
vs_turn vs_give_up(vs_me *me);
vs_turn vs_fail(vs_me *me, const char *message);

void vs_add(vs_me *me, const vs_call *call);

// ---- Pauses: within the plan's pace; they delay what is sent next, by an hour at most

void vs_think(vs_me *me);
/// Before sending a form: in the upper half of the pace.
void vs_think_long(vs_me *me);
/// As between quick searches: in the lowest tenth of the pace.
void vs_think_briefly(vs_me *me);
void vs_think_between(vs_me *me, uint32_t min_ms, uint32_t max_ms);
/// Exactly this long, whatever the pace.
void vs_wait(vs_me *me, uint32_t ms);

// ---- Text and JSON. What these give is there until the next request is sent: VS_KEEP what is needed later

/// Text of a format that knows %s, %d, %u, %lld, %llu and %%.
__attribute__((format(printf, 2, 3))) char *vs_text(vs_me *me, const char *format, ...);
char *vs_number(vs_me *me, int64_t number);
/// `vs_object(me, "name", vs_string(me, name), "age", vs_number(me, 7), "tags", "[]")`: each value is JSON.
#define vs_object(me, ...) vs_object_(me, __VA_ARGS__, (const char *)0)
/// A JSON string.
char *vs_string(vs_me *me, const char *text);
/// Copy text into an array of the journey's state; what does not fit is cut off.
#define VS_KEEP(array, text) vs_keep(array, sizeof(array), text)
void vs_keep(char *into, size_t size, const char *text);
/// A copy that stays as long as the session.
const char *vs_remember(vs_me *me, const char *text);

/// Readers of JSON. A path names fields and positions: `data.user.id`, `data.0.name`. False when there is no such thing.
bool vs_read_text(vs_span json, const char *path, char *into, size_t size);
#define VS_READ(json, path, array) vs_read_text(json, path, array, sizeof(array))
bool vs_read_number(vs_span json, const char *path, double *into);
bool vs_read_bool(vs_span json, const char *path, bool *into);
/// How many elements or fields there are; 0 when it is neither.
size_t vs_read_count(vs_span json, const char *path);
/// The JSON of one value itself; its `at` is NULL when there is none.
vs_span vs_read_raw(vs_span json, const char *path);
bool vs_equal(const char *one, const char *other);
bool vs_begins(const char *text, const char *with);
vs_span vs_span_of(const char *text);
bool vs_is(vs_span one, const char *other);
/// A captured header; `name` in lower case. Its `at` is NULL when there is none.
vs_span vs_header_of(const vs_reply *reply, const char *name);

// ---- What a journey says

/// Count a check: something that should hold, and whether it did.
bool vs_check(vs_me *me, const char *name, bool passed);
void vs_observe(vs_me *me, const char *metric, double value);
/// Say that something was created; a request's `.mark` says it earlier and is safer.
void vs_mark(vs_me *me, const char *thing);
/// Say that a marked thing is gone.
void vs_unmark(vs_me *me, const char *thing);
typedef enum { VS_DEBUG, VS_INFO, VS_WARN, VS_ERROR } vs_level;
/// Write a line to the host's log. Never a secret.
void vs_log(vs_me *me, vs_level level, const char *message);
/// The next row of one of the plan's data feeds, as JSON; its `at` is NULL when there is none for this user.
vs_span vs_feed(vs_me *me, const char *name);
/// The wrong request that the host asks for right now, once: whoever takes it commits it with the next request.
vs_fault vs_take_fault(vs_me *me);
/// How far the run is from the plan's share of a category, in percentage points; above 0 it is wanted.
double vs_wanted(vs_me *me, const char *category);

// ---- What a journey draws: from the session's seed, and nothing else is random

/// At least 0, less than 1.
double vs_random(vs_me *me);
/// A whole number, both bounds included.
int64_t vs_range(vs_me *me, int64_t min, int64_t max);
bool vs_chance(vs_me *me, double probability);
/// A way to go on, how often, and the category of its requests.
typedef struct {
    double weight;
    const char *category;
} vs_choice;
/// The position of one of the choices: by weight, steered towards the categories that the plan's mix still wants.
size_t vs_choose(vs_me *me, const vs_choice *choices, size_t count);
/// Made-up data.
char *vs_fake_name(vs_me *me);
char *vs_fake_city(vs_me *me);
char *vs_fake_bio(vs_me *me);
char *vs_fake_phone(vs_me *me);
char *vs_fake_website(vs_me *me);
char *vs_fake_birth_date(vs_me *me);
char *vs_fake_search(vs_me *me);

// ---- For the macros above

#define VS_TOGETHER_(me, insists, ...) VS_WAIT_(me, insists, __VA_ARGS__ return vs_post(me);)
#define VS_WAIT_(me, insists, ...)                                       \
    do {                                                                 \
        *vs_line(me, vs_frame) = __LINE__;                               \
        __attribute__((fallthrough));                                    \
    case __LINE__:                                                       \
        if (!vs_answered(me)) {                                          \
            __VA_ARGS__                                                  \
        } else if ((insists) && vs_any_failed(me)) {                     \
            return VS_GAVE_UP;                                           \
        }                                                                \
    } while (0)
unsigned vs_enter(vs_me *me);
vs_turn vs_leave(vs_me *me, unsigned frame);
int *vs_line(vs_me *me, unsigned frame);
bool vs_answered(vs_me *me);
bool vs_any_failed(const vs_me *me);
vs_turn vs_post(vs_me *me);
vs_turn vs_log_in(vs_me *me, vs_tokens *tokens);
bool vs_has_logout(vs_me *me, vs_tokens *tokens);
vs_turn vs_log_out(vs_me *me, vs_tokens *tokens);
bool vs_has_marked(vs_me *me);
vs_turn vs_log_out_marked(vs_me *me);
bool vs_is_one_of(unsigned status, const unsigned *these, size_t count);
vs_turn vs_unexpected_body(vs_me *me, const char *what);
char *vs_object_(vs_me *me, const char *name, ...);

#endif
