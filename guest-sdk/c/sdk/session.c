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
