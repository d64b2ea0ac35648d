//! What a journey sends together. A batch waits while an account that it names has no valid token, and is sent again in parts
//! after a 401. The macros call it, through session.c's turn of the journey.

#include "session.h"

/// A call that waits for vs_post, in scratch.
typedef struct adding {
    vs_call call;
    struct adding *before;
} adding;

void vs_add(vs_me *me, const vs_call *call) {
    struct vs_session *session = me->session;
    adding *added = vs_scratch(sizeof *added);
    added->call = *call;
    added->before = session->added == 0 ? NULL : session->adding;
    session->adding = added;
    session->added += 1;
}

/// The calls in the order in which they were added.
static const vs_call **in_order(struct vs_session *session) {
    const vs_call **calls = vs_scratch(sizeof(vs_call *) * (session->added + 1));
    const adding *at = session->adding;
    for (size_t left = session->added; left > 0; left -= 1, at = at->before) calls[left - 1] = &at->call;
    return calls;
}

vs_turn vs_post(vs_me *me) {
    struct vs_session *session = me->session;
    const size_t count = session->added;
    const vs_call **calls = in_order(session);
    for (size_t at = 0; at < count; at += 1) {
        vs_tokens *bearer = calls[at]->bearer;
        if (bearer != NULL && vs_is_due(session, bearer)) {
            session->added = 0; // the journey adds them again, with the token
            vs_renew(session, bearer);
            return VS_WAITS;
        }
    }
    if (session->repeating && count != session->sent_count) {
        return vs_fail(me, "what a journey sends together has to be the same when it is sent again after a 401");
    }
    if (!session->repeating) {
        vs_forget_sent(session);
        session->replies = vs_memory_take(count * (sizeof(vs_reply) + sizeof(vs_sent)));
        session->sent = (vs_sent *)(session->replies + count);
        session->sent_count = count;
        __builtin_memset(session->replies, 0, count * (sizeof(vs_reply) + sizeof(vs_sent)));
    }
    for (size_t at = 0; at < count; at += 1) {
        vs_sent *sent = &session->sent[at];
        if (session->repeating && !sent->repeat) continue;
        sent->posted = vs_put(session, calls[at]) != NULL;
        sent->bearer = calls[at]->bearer;
        sent->at_fault = calls[at]->fault != VS_NO_FAULT;
        if (sent->bearer != NULL) sent->bearer->is_fresh = false;
        if (session->error != NULL) return VS_FAILED;
    }
    session->phase = VS_PLAYING;
    session->empty = count == 0;
    return VS_WAITS;
}
