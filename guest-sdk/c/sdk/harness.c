//! The harness and the host that it is for the session under test. Only native tests are built with it.

#include "harness.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "session.h"

enum { MOST_STEPS = 100000, LATENCY_MS = 1 };

static vs_played played;
static const vs_script *script;

static char *copy_of(const char *text, size_t size) {
    char *copy = malloc(size + 1);
    if (copy == NULL) abort();
    if (size > 0) memcpy(copy, text, size);
    copy[size] = '\0';
    return copy;
}

static char *copy(const char *text) {
    return text == NULL ? NULL : copy_of(text, strlen(text));
}

static size_t next_of(size_t *count) {
    if (*count == VS_MOST_PLAYED) {
        fprintf(stderr, "a session said or sent more than the harness keeps\n");
        abort();
    }
    return (*count)++;
}

// ---- The host

void vs_host_log(vs_level level, const char *text) {
    (void)level;
    played.logs[next_of(&played.log_count)] = copy(text);
}

void vs_host_check(const char *name, bool passed) {
    played.checks[next_of(&played.check_count)] = (vs_said){.name = copy(name), .passed = passed};
}

void vs_host_observe(const char *metric, double value) {
    played.observed[next_of(&played.observed_count)] = (vs_said){.name = copy(metric), .value = value};
}

void vs_host_mark(const char *thing) {
    played.marks[next_of(&played.mark_count)] = copy(thing);
}

void vs_host_unmark(const char *thing) {
    played.unmarks[next_of(&played.unmark_count)] = copy(thing);
}

vs_span vs_host_feed(const char *name) {
    (void)name;
    return script->feed == NULL ? (vs_span){0} : vs_span_of(script->feed);
}

// ---- Requests and their replies

static const char *line_of(const vs_route *route) {
    static const char *const names[] = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"};
    char line[512];
    snprintf(line, sizeof line, "%s %s", names[route->method], route->path);
    return copy(line);
}

static bool ends_with(const char *text, const char *end) {
    const size_t size = strlen(text), most = strlen(end);
    return size >= most && strcmp(text + size - most, end) == 0;
}

/// The reply for a request; what was given is not given again as long as another one for the route follows.
static const vs_scripted *reply_to(const vs_played_request *request, bool *given) {
    const vs_scripted *found = NULL, *any = NULL;
    size_t found_at = 0;
    for (size_t at = 0; script->replies != NULL && script->replies[at].route != NULL; at += 1) {
        const vs_scripted *reply = &script->replies[at];
        if (any == NULL && strcmp(reply->route, "*") == 0) any = reply;
        if (strcmp(reply->route, request->route) != 0) continue;
        if (reply->ends != NULL && !ends_with(request->path, reply->ends)) continue;
        found = reply;
        found_at = at;
        if (!given[at]) break;
    }
    if (found == NULL) return any;
    given[found_at] = true;
    return found;
}

static const vs_header json_header = {{"content-type", 12}, {"application/json", 16}};

static bool answer(const vs_wire *wire, uint32_t delay_ms, bool *given, vs_reply *reply) {
    vs_played_request *request = &played.requests[next_of(&played.request_count)];
    *request = (vs_played_request){
        .route = line_of(wire->route),
        .path = copy(wire->path),
        .body = wire->has_body ? copy_of(wire->body.at, wire->body.size) : NULL,
        .mark = copy(wire->mark),
        .category = copy(wire->category),
        .fault = wire->fault,
        .timeout_ms = wire->timeout_ms,
        .step = played.steps,
        .delay_ms = delay_ms,
    };
    for (size_t at = 0; at < wire->header_count; at += 1) {
        if (strcmp(wire->headers[at].name, "authorization") == 0) request->authorization = copy(wire->headers[at].value);
    }
    for (const char *at = wire->path; *at != '\0'; at += 1) {
        if (wire->path[0] != '/' || (unsigned char)*at <= ' ' || *at == 0x7f) {
            played.error = "a path does not start with `/` or has control characters";
            return false;
        }
    }
    const vs_scripted *scripted = reply_to(request, given);
    if (scripted == NULL) {
        char error[600];
        snprintf(error, sizeof error, "no reply is scripted for %s", request->route);
        played.error = copy(error);
        return false;
    }
    *reply = (vs_reply){.status = scripted->status, .failure = scripted->failure, .latency_us = LATENCY_MS * 1000};
    if (scripted->failure != VS_NO_FAILURE) {
        reply->status = 0;
        return true;
    }
    const bool all = wire->capture == VS_EVERYTHING;
    if (scripted->body != NULL && (all || wire->capture == VS_BODY)) reply->body = vs_span_of(scripted->body);
    if (all || wire->capture == VS_HEADERS) {
        reply->headers = &json_header;
        reply->header_count = 1;
    }
    return true;
}

// ---- One session

static void play(struct vs_session *session) {
    static vs_reply replies[VS_MAX_REQUESTS];
    bool given[VS_MOST_PLAYED] = {false};
    size_t came = 0, mix_count = 0;
    vs_fault fault = script->fault;
    uint32_t left = script->budget > 0 ? script->budget : 1000;
    const vs_route *const *routes = session->behavior->routes;
    for (size_t at = 0; script->wanted != NULL && routes[at] != NULL; at += 1) {
        const size_t index = vs_category_index(session->behavior, routes[at]->category);
        if (index >= mix_count) mix_count = index + 1;
    }
    for (; played.steps < MOST_STEPS; played.steps += 1) {
        const vs_step step = vs_next(session, &(vs_context){
            .elapsed_ms = played.elapsed_ms,
            .requests_left = left,
            .mix = script->wanted,
            .mix_count = mix_count,
            .fault = fault,
            .outcomes = replies,
            .outcome_count = came,
        });
        if (step.action == VS_ERROR_OF_BEHAVIOR) {
            played.error = copy(step.error);
            return;
        }
        played.elapsed_ms += step.delay_ms;
        if (step.action != VS_REQUESTS) {
            played.ending = step.action == VS_COMPLETED ? "completed" : "abandoned";
            return;
        }
        for (came = 0; came < step.count; came += 1) {
            if (!answer(&step.requests[came], step.delay_ms, given, &replies[came])) return;
            if (step.requests[came].fault == fault) fault = VS_NO_FAULT;
        }
        left -= (uint32_t)came;
        played.elapsed_ms += came > 0 ? LATENCY_MS : 0;
        vs_scratch_clear();
    }
    played.error = "no end after 100000 steps";
}

const vs_played *vs_play(const vs_behavior *behavior, const vs_script *given) {
    char username[32], email[64], name[32];
    snprintf(username, sizeof username, "sim_user_testrun0_%u", given->user);
    snprintf(email, sizeof email, "%s@simulation.test", username);
    snprintf(name, sizeof name, "Simulated User %u", given->user);
    vs_setup setup = {
        .user = {given->user, given->user, username, email, "SimPass123!", name},
        .ordinal = given->ordinal,
        .seed = given->seed > 0 ? given->seed : 1,
        .delay_min_ms = given->delay_max_ms > 0 ? given->delay_min_ms : given->without_pauses ? 0 : 100,
        .delay_max_ms = given->delay_max_ms > 0 ? given->delay_max_ms : given->without_pauses ? 0 : 2000,
        .run = "testrun0",
        .config = given->config != NULL ? given->config : "{}",
        .cleans = given->cleanup != NULL,
        .marks = given->cleanup,
    };
    while (setup.cleans && given->cleanup[setup.mark_count] != NULL) setup.mark_count += 1;
    played = (vs_played){0};
    script = given;
    struct vs_session *session = vs_begin(behavior, &setup);
    play(session);
    vs_end(session);
    vs_scratch_clear();
    return &played;
}

bool vs_ended(const vs_played *of, const char *ending) {
    if (of->ending != NULL && strcmp(of->ending, ending) == 0) return true;
    fprintf(stderr, "the session was %s%s%s; it sent:\n", of->ending != NULL ? of->ending : "failed",
            of->error != NULL ? ": " : "", of->error != NULL ? of->error : "");
    for (size_t at = 0; at < of->request_count && at < 30; at += 1) fprintf(stderr, "  %s\n", of->requests[at].route);
    return false;
}

bool vs_first(const vs_played *of, const char *route) {
    return of->request_count > 0 && strcmp(of->requests[0].route, route) == 0;
}

bool vs_last(const vs_played *of, const char *route) {
    return of->request_count > 0 && strcmp(of->requests[of->request_count - 1].route, route) == 0;
}

bool vs_was_unmarked(const vs_played *of, const char *thing) {
    for (size_t at = 0; at < of->unmark_count; at += 1) {
        if (strcmp(of->unmarks[at], thing) == 0) return true;
    }
    return false;
}

size_t vs_left_behind(const vs_played *of) {
    size_t left = 0;
    for (size_t at = 0; at < of->request_count; at += 1) {
        left += of->requests[at].mark != NULL && !vs_was_unmarked(of, of->requests[at].mark);
    }
    for (size_t at = 0; at < of->mark_count; at += 1) left += !vs_was_unmarked(of, of->marks[at]);
    return left;
}
