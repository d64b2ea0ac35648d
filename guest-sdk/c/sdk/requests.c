//! How calls become requests that leave: paths filled, bodies put, tokens signed, within the budget; and what is kept of them
//! until their replies have come. Called by batch.c and tokens.c.

#include "session.h"

static const char *method_of(const vs_route *route) {
    static const char *const names[] = {"GET ", "HEAD ", "POST ", "PUT ", "PATCH ", "DELETE ", "OPTIONS "};
    return names[route->method];
}

static vs_wire *wrong(struct vs_session *session, const vs_route *route, const char *what) {
    if (session->error == NULL) {
        session->error = route == NULL ? what : vs_join(method_of(route), route->path, what);
    }
    return NULL;
}

static bool is_declared(const vs_behavior *behavior, const vs_route *route) {
    for (size_t at = 0; behavior->routes[at] != NULL; at += 1) {
        if (behavior->routes[at] == route) return true;
    }
    return false;
}

/// The path with its placeholders filled, and the query; NULL when the arguments do not fit.
static char *path_of(const vs_call *call) {
    const size_t most = sizeof call->args / sizeof *call->args;
    vs_writer path = {0};
    size_t used = 0;
    for (const char *at = call->route->path; *at != '\0'; at += 1) {
        if (*at != '{') {
            vs_write(&path, at, 1);
            continue;
        }
        if (used == most || call->args[used] == NULL || *call->args[used] == '\0') return NULL;
        vs_write_encoded(&path, call->args[used++]);
        while (at[1] != '\0' && *at != '}') at += 1;
    }
    if (used < most && call->args[used] != NULL) return NULL;
    bool first = true;
    for (size_t at = 0; at < sizeof call->query / sizeof *call->query && call->query[at].name != NULL; at += 1) {
        if (call->query[at].value == NULL) continue;
        vs_write(&path, first ? "?" : "&", 1);
        first = false;
        vs_write_encoded(&path, call->query[at].name);
        vs_write(&path, "=", 1);
        vs_write_encoded(&path, call->query[at].value);
    }
    return vs_written(&path);
}

vs_wire *vs_put(struct vs_session *session, const vs_call *call) {
    if (call->route == NULL) return wrong(session, NULL, "a request without a route");
    if (!is_declared(session->behavior, call->route)) {
        return wrong(session, call->route, " is not among the behavior's routes: declare it there");
    }
    const char *path = path_of(call);
    if (path == NULL) return wrong(session, call->route, ": .args has to give one text for each {placeholder}");
    if (session->waiting == VS_MAX_REQUESTS) return wrong(session, call->route, " is more than 256 requests at once");
    if (session->me.requests_left == 0) {
        session->spent = true;
        return NULL;
    }
    if (session->outbox == NULL) session->outbox = vs_scratch(sizeof(vs_wire) * (session->added > 0 ? session->added : 1));
    const size_t most = sizeof call->headers / sizeof *call->headers;
    vs_pair *headers = vs_scratch(sizeof(vs_pair) * (most + 2));
    size_t count = 0;
    while (count < most && call->headers[count].name != NULL) {
        headers[count] = call->headers[count];
        count += 1;
    }
    if (call->json != NULL) headers[count++] = (vs_pair){"content-type", "application/json"};
    if (call->bearer != NULL && call->bearer->bearer != NULL) headers[count++] = (vs_pair){"authorization", call->bearer->bearer};
    vs_wire *wire = &session->outbox[session->waiting++];
    session->me.requests_left -= 1;
    *wire = (vs_wire){
        .route = call->route,
        .path = path,
        .category = call->category != NULL ? call->category : call->route->category,
        .mark = call->mark,
        .headers = headers,
        .header_count = count,
        .body = call->json != NULL ? vs_span_of(call->json) : call->body,
        .has_body = call->json != NULL || call->body.at != NULL,
        .capture = call->capture,
        .timeout_ms = call->timeout_ms,
        .fault = call->fault,
    };
    return wire;
}

void vs_forget_sent(struct vs_session *session) {
    for (size_t at = 0; at < session->sent_count; at += 1) vs_memory_give(session->sent[at].kept);
    vs_memory_give(session->replies); // `sent` stands behind them
    session->replies = NULL;
    session->sent = NULL;
    session->sent_count = 0;
}

static vs_span copy(char **to, vs_span text) {
    char *at = *to;
    if (text.size > 0) __builtin_memcpy(at, text.at, text.size);
    *to += text.size;
    return (vs_span){at, text.size};
}

void vs_keep_replies(struct vs_session *session) {
    for (size_t at = 0; at < session->sent_count; at += 1) {
        vs_reply *reply = &session->replies[at];
        if (session->sent[at].repeat) {
            *reply = (vs_reply){0};
            continue;
        }
        size_t size = reply->header_count * sizeof(vs_header) + reply->body.size;
        for (size_t header = 0; header < reply->header_count; header += 1) {
            size += reply->headers[header].name.size + reply->headers[header].value.size;
        }
        vs_header *headers = vs_memory_take(size + 1);
        char *text = (char *)(headers + reply->header_count);
        for (size_t header = 0; header < reply->header_count; header += 1) {
            headers[header].name = copy(&text, reply->headers[header].name);
            headers[header].value = copy(&text, reply->headers[header].value);
        }
        reply->headers = headers;
        reply->body = copy(&text, reply->body);
        session->sent[at].kept = headers;
    }
}

vs_span vs_header_of(const vs_reply *reply, const char *name) {
    for (size_t at = 0; at < reply->header_count; at += 1) {
        if (vs_is(reply->headers[at].name, name)) return reply->headers[at].value;
    }
    return (vs_span){0};
}
