//! What the files of the SDK share and behaviors do not see: the executor's session, and what stands around it: the host
//! on one side (module.c, or harness.c in tests), memory on the other.

#ifndef VESPEIRO_SESSION_H
#define VESPEIRO_SESSION_H

#include "vespeiro.h"

#define VS_MAX_DELAY_MS 3600000u
#define VS_MAX_FRAMES 8
#define VS_MAX_REQUESTS 256

// ---- memory.c

/// Memory that vs_memory_give takes back. Never NULL: without memory there is a trap.
void *vs_memory_take(size_t size);
void vs_memory_give(void *at);
/// Memory that is there until vs_scratch_clear: what one call of the host needs.
void *vs_scratch(size_t size);
void vs_scratch_clear(void);

// ---- text.c

size_t vs_length(const char *text);
/// Bytes that a growing text has, and room for more; all of it scratch.
typedef struct {
    char *at;
    size_t size, room;
} vs_writer;
void vs_write(vs_writer *to, const char *from, size_t size);
void vs_write_text(vs_writer *to, const char *text);
/// As a part of a path or a query.
void vs_write_encoded(vs_writer *to, const char *text);
char *vs_written(vs_writer *to);
/// Scratch text of a mistake.
const char *vs_join(const char *one, const char *two, const char *three);

// ---- random.c

typedef struct {
    uint32_t a, b, c, counter;
} vs_rng;
void vs_rng_seed(vs_rng *rng, uint64_t seed);
/// A whole number of milliseconds, log-normal between the bounds.
uint32_t vs_log_normal(vs_rng *rng, uint32_t min, uint32_t max);
double vs_float(vs_rng *rng);

// ---- The host: module.c or harness.c

void vs_host_log(vs_level level, const char *text);
void vs_host_check(const char *name, bool passed);
void vs_host_observe(const char *metric, double value);
void vs_host_mark(const char *thing);
void vs_host_unmark(const char *thing);
vs_span vs_host_feed(const char *name);

// ---- session.c

/// One request as it leaves.
typedef struct {
    const vs_route *route;
    const char *path, *category, *mark;
    const vs_pair *headers;
    size_t header_count;
    vs_span body;
    bool has_body;
    vs_capture capture;
    uint32_t timeout_ms;
    vs_fault fault;
} vs_wire;

/// What is kept of a request until the journey has seen its reply.
typedef struct {
    vs_tokens *bearer;
    bool at_fault, posted, repeat;
    /// A reply that came while another request of the batch had to be repeated.
    void *kept;
} vs_sent;

typedef enum { VS_PLAYING, VS_LOGGING_IN, VS_RENEWING, VS_LOGGING_IN_FIRST, VS_LOGGING_OUT, VS_LOGGING_OUT_MARKED } vs_phase;

struct vs_kept;

struct vs_session {
    vs_me me;
    const vs_behavior *behavior;
    bool cleans;
    vs_rng rng;
    vs_fault fault;
    const float *mix;
    size_t mix_count;
    uint32_t delay_ms;
    vs_phase phase;
    vs_tokens *holder, *accounts;
    /// Of the marks, the one whose token is to be logged out next.
    size_t marked;
    struct vs_kept *kept;
    int lines[VS_MAX_FRAMES];
    unsigned depth;
    vs_sent *sent;
    vs_reply *replies;
    size_t sent_count, waiting;
    bool answered, empty, repeating, spent, over;
    /// Of this call alone.
    vs_wire *outbox;
    void *adding;
    size_t added;
    const char *error;
};

typedef struct {
    vs_user user;
    uint32_t ordinal, delay_min_ms, delay_max_ms;
    uint64_t seed;
    const char *run, *config;
    bool cleans;
    const char *const *marks;
    size_t mark_count;
} vs_setup;

typedef struct {
    uint64_t elapsed_ms;
    uint32_t requests_left;
    const float *mix;
    size_t mix_count;
    vs_fault fault;
    const vs_reply *outcomes;
    size_t outcome_count;
} vs_context;

typedef enum { VS_REQUESTS, VS_COMPLETED, VS_ABANDONED, VS_ERROR_OF_BEHAVIOR } vs_action;

typedef struct {
    vs_action action;
    uint32_t delay_ms;
    const vs_wire *requests;
    size_t count;
    const char *error;
} vs_step;

struct vs_session *vs_begin(const vs_behavior *behavior, const vs_setup *setup);
/// Given what came of the requests of the last step, what next?
vs_step vs_next(struct vs_session *session, const vs_context *context);
void vs_end(struct vs_session *session);

// ---- me.c

/// The position of a category in `context.mix`; SIZE_MAX when no route names it.
size_t vs_category_index(const vs_behavior *behavior, const char *category);

// ---- requests.c

/// Put a request into the outbox; NULL and an error in the session when it cannot be sent.
vs_wire *vs_put(struct vs_session *session, const vs_call *call);
/// Copies of the replies that need not be asked for again.
void vs_keep_replies(struct vs_session *session);
void vs_forget_sent(struct vs_session *session);

// ---- tokens.c

/// Ask for a new token: renew, or log in.
void vs_renew(struct vs_session *session, vs_tokens *tokens);
/// The reply to one of the session's own requests came. VS_WAITS: it has asked for something else.
vs_turn vs_hear_tokens(struct vs_session *session, const vs_reply *reply);
bool vs_is_due(const struct vs_session *session, const vs_tokens *tokens);
void vs_forget(vs_tokens *tokens);
/// The token is worth nothing any more.
void vs_lose(const struct vs_session *session, vs_tokens *tokens);

#endif
