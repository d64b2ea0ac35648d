//! The executor: one session, from its setup to its end. Calls its journey at each step, which goes on at the line where it
//! waited, and turns what it posts and how long it pauses into the step that the host carries out. module.c calls it, and
//! harness.c. What a session keeps between two calls is in its own blocks; scratch is gone with each call.

#include "session.h"

struct vs_kept {
    struct vs_kept *before;
};

static char *remember(struct vs_session *session, const char *text) {
    const size_t size = vs_length(text) + 1;
    struct vs_kept *kept = vs_memory_take(sizeof *kept + size);
    kept->before = session->kept;
    session->kept = kept;
    return __builtin_memcpy(kept + 1, text, size);
}

const char *vs_remember(vs_me *me, const char *text) {
    return remember(me->session, text);
}

static size_t to_words(size_t size) {
    return (size + 15) / 16 * 16;
}

struct vs_session *vs_begin(const vs_behavior *behavior, const vs_setup *setup) {
    const size_t own = to_words(sizeof(struct vs_session));
    struct vs_session *session = vs_memory_take(own + behavior->state);
    __builtin_memset(session, 0, own + behavior->state);
    session->behavior = behavior;
    session->cleans = setup->cleans;
    vs_rng_seed(&session->rng, setup->seed);
    vs_me *me = &session->me;
    me->session = session;
    me->state = (char *)session + own;
    me->user = (vs_user){
        .index = setup->user.index,
        .seed = setup->user.seed,
        .username = remember(session, setup->user.username),
        .email = remember(session, setup->user.email),
        .password = remember(session, setup->user.password),
        .name = remember(session, setup->user.name),
    };
    me->ordinal = setup->ordinal;
    me->run = remember(session, setup->run);
    me->config = vs_span_of(remember(session, setup->config));
    me->delay_min_ms = setup->delay_min_ms;
    me->delay_max_ms = setup->delay_max_ms;
    if (setup->mark_count > 0) {
        struct vs_kept *kept = vs_memory_take(sizeof *kept + setup->mark_count * sizeof(char *));
        kept->before = session->kept;
        session->kept = kept;
        const char **marks = (const char **)(kept + 1);
        for (size_t at = 0; at < setup->mark_count; at += 1) marks[at] = remember(session, setup->marks[at]);
        me->marks = marks;
        me->mark_count = setup->mark_count;
    }
    return session;
}

void vs_end(struct vs_session *session) {
    for (vs_tokens *tokens = session->accounts; tokens != NULL; tokens = tokens->next) vs_forget(tokens);
    vs_forget_sent(session);
    for (struct vs_kept *kept = session->kept; kept != NULL;) {
        struct vs_kept *before = kept->before;
        vs_memory_give(kept);
        kept = before;
    }
    vs_memory_give(session);
}

// ---- One step

static vs_step failed(struct vs_session *session, const char *message) {
    return (vs_step){.action = VS_ERROR_OF_BEHAVIOR, .delay_ms = session->delay_ms, .error = message};
}

static vs_step ended(struct vs_session *session, vs_action action) {
    return (vs_step){.action = action, .delay_ms = session->delay_ms};
}

/// Hand the outcomes to whom they belong. Not VS_WAITS: the session is over.
static vs_turn hear(struct vs_session *session, const vs_context *context) {
    for (size_t at = 0; at < context->outcome_count; at += 1) {
        session->spent = session->spent || context->outcomes[at].failure == VS_STOPPED;
    }
    if (session->spent) return VS_WAITS;
    if (context->outcome_count == 0) {
        session->answered = session->empty; // a batch of nothing is a pause, and over
        session->empty = false;
        return VS_WAITS;
    }
    if (session->phase == VS_PLAYING) {
        bool refused = false;
        size_t heard = 0;
        for (size_t at = 0; at < session->sent_count; at += 1) {
            vs_sent *sent = &session->sent[at];
            if (!sent->posted) continue;
            const vs_reply *reply = &session->replies[at];
            session->replies[at] = context->outcomes[heard++];
            sent->posted = false;
            sent->repeat = !session->repeating && sent->bearer != NULL && !sent->at_fault && reply->status == 401;
            if (sent->repeat) {
                vs_lose(session, sent->bearer);
                refused = true;
            }
        }
        session->repeating = refused;
        session->answered = !refused;
        if (refused) vs_keep_replies(session);
        return VS_WAITS;
    }
    return vs_hear_tokens(session, &context->outcomes[0]);
}

static vs_step play(struct vs_session *session) {
    vs_me *me = &session->me;
    vs_turn (*journey)(vs_me *) = session->cleans ? session->behavior->cleanup : session->behavior->journey;
    if (journey == NULL) return ended(session, VS_COMPLETED); // no cleanup: nothing to remove
    session->depth = 0;
    me->reply = session->replies;
    me->reply_count = session->answered ? session->sent_count : 0;
    switch (journey(me)) {
    case VS_WAITS:
        return ended(session, VS_REQUESTS);
    case VS_DONE:
        return ended(session, VS_COMPLETED);
    case VS_GAVE_UP:
        return ended(session, VS_ABANDONED);
    case VS_FAILED:
        break;
    }
    return failed(session, session->error != NULL ? session->error : "the behavior failed");
}

vs_step vs_next(struct vs_session *session, const vs_context *context) {
    session->delay_ms = 0;
    if (session->over) return failed(session, "the session is over");
    session->over = true; // unless it goes well
    if (context->outcome_count != session->waiting) return failed(session, "another number of outcomes came than requests went");
    session->me.elapsed_ms = context->elapsed_ms;
    session->me.requests_left = context->requests_left;
    session->mix = context->mix;
    session->mix_count = context->mix_count;
    session->fault = context->fault;
    session->outbox = NULL;
    session->waiting = session->added = 0;
    session->error = NULL;
    const vs_turn heard = hear(session, context);
    if (heard == VS_GAVE_UP || session->spent) return ended(session, VS_ABANDONED);
    vs_step step = ended(session, VS_REQUESTS);
    if (session->waiting == 0) step = play(session);
    if (step.action != VS_REQUESTS) return step;
    if (session->error != NULL) return failed(session, session->error);
    if (session->spent && session->waiting == 0) return ended(session, VS_ABANDONED);
    session->over = false;
    step.requests = session->outbox;
    step.count = session->waiting;
    return step;
}

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
