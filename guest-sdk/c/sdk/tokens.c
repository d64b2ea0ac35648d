//! The token holder: logs in, keeps an account's token fresh, logs out. The executor asks it before each request that names
//! an account, and the macros VS_LOGIN and VS_LOGOUT do.

#include "session.h"

/// A token is renewed when a fifth of its life is left, but no earlier than this before its end.
#define MARGIN_MS 30000.0
/// What the mark of a token begins with; behind it, what logging out takes. The host knows it for a secret.
#define TOKEN "token:"

/// A session frees the tokens of the accounts that it knows.
static void know(struct vs_session *session, vs_tokens *tokens) {
    for (const vs_tokens *known = session->accounts; known != NULL; known = known->next) {
        if (known == tokens) return;
    }
    tokens->next = session->accounts;
    session->accounts = tokens;
}

void vs_forget(vs_tokens *tokens) {
    vs_memory_give(tokens->bearer);
    vs_memory_give(tokens->refresh);
    tokens->bearer = tokens->refresh = NULL;
    tokens->due_ms = 0;
    tokens->is_fresh = false;
}

static bool is_marked(const struct vs_session *session, const vs_tokens *tokens) {
    return tokens->lasting && tokens->bearer != NULL && session->behavior->logout != NULL;
}

static void unmark(const struct vs_session *session, const vs_tokens *tokens) {
    if (is_marked(session, tokens)) vs_host_unmark(vs_join(TOKEN, tokens->bearer, ""));
}

void vs_lose(const struct vs_session *session, vs_tokens *tokens) {
    unmark(session, tokens);
    vs_forget(tokens);
}

/// Whether a logout's answer means that the token is worth nothing any more: one that is refused is as good as gone.
static bool is_out(const vs_reply *reply) {
    return (reply->status >= 200 && reply->status < 300) || reply->status == 401;
}

bool vs_is_due(const struct vs_session *session, const vs_tokens *tokens) {
    return tokens->bearer == NULL || (!tokens->is_fresh && session->me.elapsed_ms >= tokens->due_ms);
}

/// One reply of the session's own is to come.
static void post_own(struct vs_session *session, const vs_call *call, vs_phase phase) {
    session->added = 0;
    session->outbox = NULL;
    session->phase = phase;
    vs_put(session, call);
}

static void post_login(struct vs_session *session, vs_tokens *tokens, vs_phase phase) {
    vs_me *me = &session->me;
    const vs_behavior *behavior = session->behavior;
    know(session, tokens);
    session->holder = tokens;
    if (behavior->login == NULL || tokens->name == NULL || tokens->password == NULL) {
        session->error = "tokens need the behavior's .login, and a name and a password of their own";
        return;
    }
    const char *field = behavior->login_name != NULL ? behavior->login_name : "email";
    const char *json = vs_object(me, field, vs_string(me, tokens->name), "password", vs_string(me, tokens->password));
    post_own(session, &(vs_call){behavior->login, .json = json}, phase);
}

void vs_renew(struct vs_session *session, vs_tokens *tokens) {
    vs_me *me = &session->me;
    if (session->behavior->refresh == NULL || tokens->refresh == NULL) {
        post_login(session, tokens, VS_LOGGING_IN_FIRST);
        return;
    }
    session->holder = tokens;
    const char *json = vs_object(me, "refresh_token", vs_string(me, tokens->refresh));
    vs_memory_give(tokens->refresh);
    tokens->refresh = NULL; // it rotates: never twice
    post_own(session, &(vs_call){session->behavior->refresh, .json = json}, VS_RENEWING);
}

/// A field of the answer, in `data` or outside of it, as a block of its own behind `before`.
static char *field_of(vs_span answer, const char *in_data, const char *outside, const char *before) {
    const char *path = vs_read_raw(answer, in_data).at != NULL ? in_data : outside;
    const size_t size = vs_read_raw(answer, path).size, begins = vs_length(before);
    if (size == 0) return NULL;
    char *field = vs_memory_take(begins + size + 1);
    __builtin_memcpy(field, before, begins);
    if (vs_read_text(answer, path, field + begins, size + 1)) return field;
    vs_memory_give(field);
    return NULL;
}

/// `beside`: what was had before lives on beside it.
static bool take_grant(struct vs_session *session, vs_span answer, bool beside) {
    vs_tokens *tokens = session->holder;
    if (!beside) unmark(session, tokens);
    vs_forget(tokens);
    tokens->bearer = field_of(answer, "data.access_token", "access_token", "Bearer ");
    tokens->refresh = field_of(answer, "data.refresh_token", "refresh_token", "");
    double life = 0;
    if (!vs_read_number(answer, "data.expires_in", &life)) vs_read_number(answer, "expires_in", &life);
    life *= 1000;
    const double margin = life / 5 < MARGIN_MS ? life / 5 : MARGIN_MS;
    tokens->due_ms = life > 0 && life < 1e15 ? session->me.elapsed_ms + (uint64_t)(life - margin) : UINT64_MAX;
    if (is_marked(session, tokens)) vs_host_mark(vs_join(TOKEN, tokens->bearer, ""));
    return tokens->bearer != NULL;
}

/// A reply of the session's own that the journey asked for is shown to it.
static void show(struct vs_session *session, const vs_reply *reply) {
    vs_forget_sent(session);
    session->replies = vs_memory_take(sizeof(vs_reply) + sizeof(vs_sent));
    session->replies[0] = *reply;
    session->sent = (vs_sent *)(session->replies + 1);
    session->sent[0] = (vs_sent){0};
    session->sent_count = 1;
    session->answered = true;
}

bool vs_has_marked(vs_me *me) {
    struct vs_session *session = me->session;
    if (session->behavior->logout == NULL) return false;
    while (session->marked < me->mark_count && !vs_begins(me->marks[session->marked], TOKEN)) session->marked += 1;
    return session->marked < me->mark_count;
}

vs_turn vs_log_out_marked(vs_me *me) {
    const char *bearer = me->marks[me->session->marked] + sizeof TOKEN - 1;
    const vs_call call = {me->session->behavior->logout, .headers = {{"authorization", bearer}}, .capture = VS_NOTHING};
    post_own(me->session, &call, VS_LOGGING_OUT_MARKED);
    return me->session->error != NULL ? VS_FAILED : VS_WAITS;
}

static vs_turn hear_marked(struct vs_session *session, const vs_reply *reply) {
    vs_me *me = &session->me;
    const char *mark = me->marks[session->marked++];
    if (is_out(reply)) {
        vs_unmark(me, mark);
    } else {
        const char *why = reply->status != 0 ? vs_text(me, "status %u", reply->status) : "no response";
        // That it was too fast is no news of the token: it is still marked, so it has its turn again.
        vs_log(me, reply->status == 429 ? VS_DEBUG : VS_WARN, vs_join("cleanup: a token stays: ", why, ""));
    }
    if (vs_has_marked(me)) return vs_log_out_marked(me);
    show(session, reply);
    return VS_WAITS;
}

vs_turn vs_hear_tokens(struct vs_session *session, const vs_reply *reply) {
    const vs_phase phase = session->phase;
    session->phase = VS_PLAYING;
    const bool well = reply->status >= 200 && reply->status < 300;
    if (phase == VS_LOGGING_OUT_MARKED) return hear_marked(session, reply);
    if (phase == VS_LOGGING_OUT && is_out(reply)) vs_lose(session, session->holder);
    if (reply->failure != VS_NO_FAILURE) return VS_GAVE_UP;
    if (phase == VS_RENEWING && !well) {
        post_login(session, session->holder, VS_LOGGING_IN_FIRST);
        return VS_WAITS;
    }
    if (!well) return VS_GAVE_UP;
    if (phase != VS_LOGGING_OUT && !take_grant(session, reply->body, phase == VS_LOGGING_IN)) {
        return vs_unexpected_body(&session->me, "no `access_token` in the answer to a login");
    }
    if (phase == VS_LOGGING_IN || phase == VS_LOGGING_OUT) {
        show(session, reply);
    } else {
        session->holder->is_fresh = true; // the request that waits for it leaves now, however short its life
    }
    return VS_WAITS;
}

// ---- For the macros

vs_turn vs_log_in(vs_me *me, vs_tokens *tokens) {
    post_login(me->session, tokens, VS_LOGGING_IN);
    return me->session->error != NULL ? VS_FAILED : VS_WAITS;
}

bool vs_has_logout(vs_me *me, vs_tokens *tokens) {
    if (tokens->bearer != NULL && me->session->behavior->logout != NULL) return true;
    vs_forget(tokens);
    return false;
}

vs_turn vs_log_out(vs_me *me, vs_tokens *tokens) {
    me->session->holder = tokens; // which forgets the token once that was answered
    post_own(me->session, &(vs_call){me->session->behavior->logout, .bearer = tokens, .capture = VS_NOTHING}, VS_LOGGING_OUT);
    return me->session->error != NULL ? VS_FAILED : VS_WAITS;
}
