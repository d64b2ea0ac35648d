//! Plays the journey against scripted replies: `./test`.

#undef NDEBUG
#include <assert.h>
#include <string.h>

#include "vespeiro/harness.h"

#define LOGGED_IN "{\"data\":{\"access_token\":\"a\",\"expires_in\":900,\"user\":{\"id\":\"7\"}}}"
#define REPLIES                                                              \
    {"POST /api/v1/users", 201},                                             \
    {"POST /api/v1/auth/login", 200, LOGGED_IN},                             \
    {"GET /api/v1/users", 200, "{\"data\":[{\"id\":\"7\"},{\"id\":\"8\"}]}"}, \
    {"GET /api/v1/users/{userId}/roles", 200, "{\"data\":[]}"},              \
    {"PUT /api/v1/users/{id}", 200},                                         \
    {"GET /api/v1/users/{id}", 200, "{\"data\":{\"name\":\"Ana Lima\"}}"},   \
    {"POST /api/v1/auth/logout", 204},                                       \
    {NULL}

static const vs_scripted replies[] = {REPLIES};

static void a_newcomer_registers_looks_around_changes_their_name_and_leaves(void) {
    const vs_played *played = vs_play(&vs_behavior_of_module, &(vs_script){replies});
    assert(vs_ended(played, "completed"));
    assert(vs_first(played, "POST /api/v1/users"));
    assert(strcmp(played->requests[1].route, "POST /api/v1/auth/login") == 0);
    assert(vs_last(played, "POST /api/v1/auth/logout"));
    assert(vs_left_behind(played) == 1 && strcmp(played->requests[0].mark, "user:sim_user_testrun0_0") == 0);
    assert(played->check_count == 1 && !played->checks[0].passed);
}

static void who_has_an_account_logs_in_with_it_and_gives_up_when_the_service_is_down(void) {
    const vs_scripted down[] = {{"POST /api/v1/auth/login", 503}, REPLIES};
    const vs_played *played = vs_play(&vs_behavior_of_module, &(vs_script){down, .ordinal = 1});
    assert(vs_ended(played, "abandoned"));
    assert(played->request_count == 1);
}

static void a_mistake_is_made_when_it_is_asked_for(void) {
    const vs_played *played = vs_play(&vs_behavior_of_module, &(vs_script){replies, .ordinal = 1, .fault = VS_INVALID_DATA});
    assert(vs_ended(played, "completed"));
    size_t mistakes = 0;
    for (size_t at = 0; at < played->request_count; at += 1) {
        const vs_played_request *request = &played->requests[at];
        if (request->fault == VS_NO_FAULT) continue;
        mistakes += 1;
        assert(strcmp(request->route, "PUT /api/v1/users/{id}") == 0);
    }
    assert(mistakes == 1);
}

int main(void) {
    a_newcomer_registers_looks_around_changes_their_name_and_leaves();
    who_has_an_account_logs_in_with_it_and_gives_up_when_the_service_is_down();
    a_mistake_is_made_when_it_is_asked_for();
    return 0;
}
