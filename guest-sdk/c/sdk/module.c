//! The module's side of the contract: what the host calls becomes sessions, what sessions say reaches the host, laid out
//! as the canonical ABI of the component model has it (guest-sdk/wit/behavior.wit). Only a build for wasm32 has it.

#include "session.h"

#define EXPORT(name) __attribute__((export_name(name)))
#define HOST(name) __attribute__((import_module("vespeiro:behavior/host@0.1.0"), import_name(name)))
#define OWN(name) __attribute__((import_module("[export]vespeiro:behavior/behavior@0.1.0"), import_name(name)))
#define BEHAVIOR "vespeiro:behavior/behavior@0.1.0#"

/// Lists and strings alike.
typedef struct {
    const void *at;
    size_t count;
} list;

HOST("log") void host_log(int level, const char *text, size_t size);
HOST("check") void host_check(const char *name, size_t size, int passed);
HOST("observe") void host_observe(const char *metric, size_t size, double value);
HOST("mark") void host_mark(const char *thing, size_t size);
HOST("unmark") void host_unmark(const char *thing, size_t size);
HOST("feed") void host_feed(const char *name, size_t size, void *into);
OWN("[resource-new]session") int new_session(struct vs_session *session);

void vs_host_log(vs_level level, const char *text) {
    host_log((int)level, text, vs_length(text));
}

void vs_host_check(const char *name, bool passed) {
    host_check(name, vs_length(name), passed);
}

void vs_host_observe(const char *metric, double value) {
    host_observe(metric, vs_length(metric), value);
}

void vs_host_mark(const char *thing) {
    host_mark(thing, vs_length(thing));
}

void vs_host_unmark(const char *thing) {
    host_unmark(thing, vs_length(thing));
}

vs_span vs_host_feed(const char *name) {
    struct {
        uint8_t there;
        vs_span row;
    } fed = {0};
    host_feed(name, vs_length(name), &fed);
    return fed.there ? fed.row : (vs_span){0};
}

/// Where the host puts arguments: scratch, for they are read within the call.
EXPORT("cabi_realloc") void *vs_cabi_realloc(void *old, size_t held, size_t align, size_t size) {
    (void)align; // 16 suits all
    void *at = vs_scratch(size > 0 ? size : 1);
    if (held > 0) __builtin_memcpy(at, old, held < size ? held : size);
    return at;
}

static list text_of(const char *text) {
    return (list){text, vs_length(text)};
}

// ---- describe

typedef struct {
    uint8_t method;
    list path, category;
} route;

typedef struct {
    list name, version, routes, categories;
} description;

EXPORT(BEHAVIOR "describe") const description *vs_describe(void) {
    static description described;
    const vs_behavior *behavior = &vs_behavior_of_module;
    size_t count = 0, names = 0;
    while (behavior->routes[count] != NULL) count += 1;
    route *routes = vs_scratch(sizeof(route) * (count + 1));
    list *categories = vs_scratch(sizeof(list) * (count + 1));
    for (size_t at = 0; at < count; at += 1) {
        const vs_route *from = behavior->routes[at];
        routes[at] = (route){(uint8_t)from->method, text_of(from->path), text_of(from->category)};
        if (vs_category_index(behavior, from->category) == names) categories[names++] = text_of(from->category);
    }
    described = (description){text_of(behavior->name), text_of(behavior->version), {routes, count}, {categories, names}};
    return &described;
}

EXPORT("cabi_post_" BEHAVIOR "describe") void vs_described(const description *described) {
    (void)described;
    vs_scratch_clear();
}

// ---- Sessions

typedef struct {
    uint32_t index;
    uint64_t seed;
    vs_span username, email, password, name;
    uint32_t ordinal;
    uint64_t session_seed;
    uint8_t cleans;
    struct {
        const vs_span *at;
        size_t count;
    } marks;
    uint32_t delay_min_ms, delay_max_ms;
    vs_span run, config;
} setup;

/// With the zero at its end that the host's strings do not have.
static const char *ended(vs_span text) {
    vs_writer copy = {0};
    vs_write(&copy, text.at, text.size);
    return vs_written(&copy);
}

EXPORT(BEHAVIOR "[constructor]session") int vs_construct(const setup *given) {
    vs_setup begins = {
        .user = {given->index, given->seed, ended(given->username), ended(given->email), ended(given->password), ended(given->name)},
        .ordinal = given->ordinal,
        .delay_min_ms = given->delay_min_ms,
        .delay_max_ms = given->delay_max_ms,
        .seed = given->session_seed,
        .run = ended(given->run),
        .config = ended(given->config),
        .cleans = given->cleans != 0,
    };
    if (begins.cleans) {
        const char **marks = vs_scratch(sizeof(char *) * (given->marks.count + 1));
        for (size_t at = 0; at < given->marks.count; at += 1) marks[at] = ended(given->marks.at[at]);
        begins.marks = marks;
        begins.mark_count = given->marks.count;
    }
    struct vs_session *session = vs_begin(&vs_behavior_of_module, &begins);
    vs_scratch_clear();
    return new_session(session);
}

typedef struct {
    uint8_t failed;
    union {
        uint8_t failure;
        struct {
            uint16_t status;
            struct {
                const vs_header *at;
                size_t count;
            } headers;
            vs_span body;
            uint64_t latency_us;
        } response;
    } as;
} outcome;

typedef struct {
    uint8_t method;
    list path, route, category, headers;
    struct {
        uint8_t there;
        list value;
    } body;
    uint8_t capture;
    struct {
        uint8_t there;
        uint32_t value;
    } timeout;
    struct {
        uint8_t there;
        list value;
    } mark;
    struct {
        uint8_t there, value;
    } fault;
} request;

typedef struct {
    uint8_t is_error;
    union {
        list error;
        struct {
            uint32_t delay_ms;
            uint8_t is_done;
            union {
                list requests;
                uint8_t ending;
            } action;
        } step;
    } as;
} answer;

_Static_assert(sizeof(setup) == 104 && sizeof(outcome) == 40 && sizeof(request) == 76 && sizeof(answer) == 20,
               "as the canonical ABI lays them out");

static const vs_reply *replies_of(const outcome *outcomes, size_t count) {
    vs_reply *replies = vs_scratch(sizeof(vs_reply) * (count + 1));
    for (size_t at = 0; at < count; at += 1) {
        const outcome *from = &outcomes[at];
        replies[at] = (vs_reply){0};
        if (from->failed) {
            replies[at].failure = (vs_failure)(from->as.failure + 1);
        } else {
            replies[at].status = from->as.response.status;
            replies[at].body = from->as.response.body;
            replies[at].headers = from->as.response.headers.at;
            replies[at].header_count = from->as.response.headers.count;
            replies[at].latency_us = from->as.response.latency_us;
        }
    }
    return replies;
}

static request request_of(const vs_wire *wire) {
    static const uint8_t captures[] = {2, 0, 1, 3}; // bit 0: headers, bit 1: body
    list *headers = vs_scratch(sizeof(list) * 2 * (wire->header_count + 1));
    for (size_t at = 0; at < wire->header_count; at += 1) {
        headers[2 * at] = text_of(wire->headers[at].name);
        headers[2 * at + 1] = text_of(wire->headers[at].value);
    }
    return (request){
        .method = (uint8_t)wire->route->method,
        .path = text_of(wire->path),
        .route = text_of(wire->route->path),
        .category = text_of(wire->category),
        .headers = {headers, wire->header_count},
        .body = {wire->has_body, {wire->body.at, wire->body.size}},
        .capture = captures[wire->capture],
        .timeout = {wire->timeout_ms > 0, wire->timeout_ms},
        .mark = {wire->mark != NULL, wire->mark != NULL ? text_of(wire->mark) : (list){0}},
        .fault = {wire->fault != VS_NO_FAULT, (uint8_t)(wire->fault == VS_NO_FAULT ? 0 : wire->fault - 1)},
    };
}

EXPORT(BEHAVIOR "[method]session.next")
const answer *vs_session_next(struct vs_session *session, uint64_t elapsed_ms, uint32_t requests_left, const float *mix,
                              size_t mix_count, int faulty, int fault, const outcome *outcomes, size_t outcome_count) {
    static answer answered;
    const vs_context context = {
        .elapsed_ms = elapsed_ms,
        .requests_left = requests_left,
        .mix = mix,
        .mix_count = mix_count,
        .fault = faulty ? (vs_fault)(fault + 1) : VS_NO_FAULT,
        .outcomes = replies_of(outcomes, outcome_count),
        .outcome_count = outcome_count,
    };
    const vs_step step = vs_next(session, &context);
    answered = (answer){0};
    if (step.action == VS_ERROR_OF_BEHAVIOR) {
        answered.is_error = 1;
        answered.as.error = text_of(step.error);
        return &answered;
    }
    answered.as.step.delay_ms = step.delay_ms;
    if (step.action == VS_REQUESTS) {
        request *requests = vs_scratch(sizeof(request) * (step.count + 1));
        for (size_t at = 0; at < step.count; at += 1) requests[at] = request_of(&step.requests[at]);
        answered.as.step.action.requests = (list){requests, step.count};
    } else {
        answered.as.step.is_done = 1;
        answered.as.step.action.ending = step.action == VS_COMPLETED ? 0 : 1;
    }
    return &answered;
}

EXPORT("cabi_post_" BEHAVIOR "[method]session.next") void vs_answered_by(const answer *answered) {
    (void)answered;
    vs_scratch_clear();
}

EXPORT(BEHAVIOR "[dtor]session") void vs_destroy(struct vs_session *session) {
    vs_end(session);
}
