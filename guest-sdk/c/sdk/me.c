//! What a journey may call at each of its lines, and what its macros expand to: where it goes on, how it ends, what it tells
//! the host. Knows a session's fields, and nothing of how its requests are made.

#include "session.h"

// ---- For the macros

unsigned vs_enter(vs_me *me) {
    if (me->session->depth == VS_MAX_FRAMES) __builtin_trap(); // parts within parts within parts
    return me->session->depth++;
}

vs_turn vs_leave(vs_me *me, unsigned frame) {
    me->session->lines[frame] = 0;
    me->session->depth = frame;
    return VS_DONE;
}

int *vs_line(vs_me *me, unsigned frame) {
    return &me->session->lines[frame];
}

bool vs_answered(vs_me *me) {
    const bool answered = me->session->answered;
    me->session->answered = false;
    return answered;
}

bool vs_any_failed(const vs_me *me) {
    for (size_t at = 0; at < me->reply_count; at += 1) {
        if (me->reply[at].failure != VS_NO_FAILURE) return true;
    }
    return false;
}

bool vs_is_one_of(unsigned status, const unsigned *these, size_t count) {
    for (size_t at = 0; at < count; at += 1) {
        if (these[at] == status) return true;
    }
    return false;
}

vs_turn vs_give_up(vs_me *me) {
    (void)me;
    return VS_GAVE_UP;
}

vs_turn vs_fail(vs_me *me, const char *message) {
    me->session->error = message;
    return VS_FAILED;
}

vs_turn vs_unexpected_body(vs_me *me, const char *what) {
    vs_log(me, VS_WARN, vs_join("unexpected body: ", what, ""));
    return VS_GAVE_UP;
}

// ---- What a journey says

bool vs_check(vs_me *me, const char *name, bool passed) {
    (void)me;
    vs_host_check(name, passed);
    return passed;
}

void vs_observe(vs_me *me, const char *metric, double value) {
    (void)me;
    vs_host_observe(metric, value);
}

void vs_mark(vs_me *me, const char *thing) {
    (void)me;
    vs_host_mark(thing);
}

void vs_unmark(vs_me *me, const char *thing) {
    (void)me;
    vs_host_unmark(thing);
}

void vs_log(vs_me *me, vs_level level, const char *message) {
    (void)me;
    vs_host_log(level, message);
}

vs_span vs_feed(vs_me *me, const char *name) {
    (void)me;
    return vs_host_feed(name);
}

vs_fault vs_take_fault(vs_me *me) {
    const vs_fault fault = me->session->fault;
    me->session->fault = VS_NO_FAULT;
    return fault;
}

size_t vs_category_index(const vs_behavior *behavior, const char *category) {
    // Categories are in the order of the routes that name them first.
    size_t index = 0;
    for (size_t at = 0; behavior->routes[at] != NULL; at += 1) {
        const char *here = behavior->routes[at]->category;
        bool seen = false;
        for (size_t before = 0; before < at && !seen; before += 1) seen = vs_equal(behavior->routes[before]->category, here);
        if (seen) continue;
        if (vs_equal(here, category)) return index;
        index += 1;
    }
    return SIZE_MAX;
}

double vs_wanted(vs_me *me, const char *category) {
    const size_t index = vs_category_index(me->session->behavior, category);
    return index < me->session->mix_count ? (double)me->session->mix[index] : 0;
}
