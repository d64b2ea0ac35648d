//! The test harness: plays a behavior natively, against scripted replies, so that an author tests a journey without a
//! network. It runs the executor that the module runs, and refuses what the host would refuse.

#ifndef VESPEIRO_HARNESS_H
#define VESPEIRO_HARNESS_H

#include "vespeiro.h"

/// What a request to a route is answered. Of several for one route each is given once, in order, and the last one stays.
typedef struct {
    /// `GET /users/{id}`; `*` for all that no other is for.
    const char *route;
    unsigned status;
    /// JSON; may be left out.
    const char *body;
    /// Instead of a status.
    vs_failure failure;
    /// Only for paths that end like this; may be left out.
    const char *ends;
} vs_scripted;

/// All but the replies may be left out.
typedef struct {
    /// Up to one without a route.
    const vs_scripted *replies;
    uint64_t seed;
    uint32_t user, ordinal;
    const char *config;
    /// Pauses, and how many requests there may be; 100 to 2000 ms and 1000 where left out.
    uint32_t delay_min_ms, delay_max_ms, budget;
    bool without_pauses;
    /// The fault to ask for until it is committed.
    vs_fault fault;
    /// Points by category, in the order of the routes.
    const float *wanted;
    /// Marks to clean up after, up to NULL.
    const char *const *cleanup;
    /// What the data feed of any name gives.
    const char *feed;
} vs_script;

typedef struct {
    /// `GET /users/{id}`
    const char *route;
    const char *path, *body, *mark, *category, *authorization;
    vs_fault fault;
    uint32_t timeout_ms;
    /// In which step it left, and the delay before that.
    size_t step;
    uint32_t delay_ms;
} vs_played_request;

typedef struct {
    const char *name;
    bool passed;
    double value;
} vs_said;

enum { VS_MOST_PLAYED = 1024 };

/// What came of a session. It is overwritten by the next one.
typedef struct {
    /// `completed` or `abandoned`; NULL when the session failed, broke the contract or met no scripted reply.
    const char *ending;
    /// Why there is no ending.
    const char *error;
    vs_played_request requests[VS_MOST_PLAYED];
    vs_said checks[VS_MOST_PLAYED], observed[VS_MOST_PLAYED];
    const char *marks[VS_MOST_PLAYED], *unmarks[VS_MOST_PLAYED], *logs[VS_MOST_PLAYED];
    size_t request_count, check_count, observed_count, mark_count, unmark_count, log_count, steps;
    uint64_t elapsed_ms;
} vs_played;

/// Play one session to its end.
const vs_played *vs_play(const vs_behavior *behavior, const vs_script *script);
/// Whether the session ended so; says on stderr what happened instead.
bool vs_ended(const vs_played *played, const char *ending);
/// Whether a request of this route, the first or the last, was made.
bool vs_first(const vs_played *played, const char *route);
bool vs_last(const vs_played *played, const char *route);
/// How many marks, of requests and outside of them, were not taken back.
size_t vs_left_behind(const vs_played *played);
bool vs_was_unmarked(const vs_played *played, const char *thing);

#endif
