//! Plays the journey and the cleanup against scripted replies: `./test`.

#undef NDEBUG
#include <assert.h>
#include <string.h>

#include "vespeiro/harness.h"

static const char config[] = "{\"admin\":{\"email\":\"admin@example.test\",\"password\":\"secret\"}}";

static const vs_scripted replies[] = {
    {"POST /api/v1/auth/login", 200, "{\"data\":{\"access_token\":\"a\",\"expires_in\":900,\"user\":{\"id\":\"1\"}}}"},
    {"GET /api/v1/users", 200, "{\"data\":[{\"id\":\"7\"},{\"id\":\"8\"}]}"},
    {"POST /api/v1/users", 201, "{\"data\":{\"id\":\"9\"}}"},
    {"PUT /api/v1/users/{id}", 200},
    {"GET /api/v1/users/{id}", 200, "{\"data\":{\"name\":\"Ana Lima\"}}"},
    {"GET /api/v1/users/{userId}/roles", 200, "{\"data\":[]}"},
    {"PUT /api/v1/users/{id}/deactivate", 200},
    {"DELETE /api/v1/users/{id}", 204},
    {"GET /api/v1/users/username/{username}", 404, .ends = "gone"},
    {"GET /api/v1/users/username/{username}", 200, "{\"data\":{\"id\":\"9\"}}", .ends = "sim_user_x"},
    {"POST /api/v1/auth/logout", 204},
    {NULL},
};

static void an_administrator_adds_edits_and_removes_a_user_and_leaves_nothing_behind(void) {
    const vs_played *played = vs_play(&vs_behavior_of_module, &(vs_script){replies, .config = config});
    assert(vs_ended(played, "completed"));
    assert(vs_first(played, "POST /api/v1/auth/login") && vs_last(played, "POST /api/v1/auth/logout"));
    assert(vs_was_unmarked(played, "user:sim_user_testrun0_0_0") && vs_was_unmarked(played, "token:Bearer a"));
    assert(vs_left_behind(played) == 0);
}

static void cleanup_removes_what_is_there_and_forgets_what_is_gone(void) {
    const char *const marks[] = {"user:sim_user_x", "user:gone", "role:x", "token:Bearer cut", NULL};
    const vs_played *played = vs_play(&vs_behavior_of_module, &(vs_script){replies, .config = config, .cleanup = marks});
    assert(vs_ended(played, "completed"));
    assert(played->unmark_count == 4);
    assert(vs_was_unmarked(played, "token:Bearer cut") && vs_was_unmarked(played, "token:Bearer a"));
    assert(vs_was_unmarked(played, "user:sim_user_x") && vs_was_unmarked(played, "user:gone"));
}

static void without_an_account_in_the_config_the_session_fails_and_says_what_to_write(void) {
    const vs_played *played = vs_play(&vs_behavior_of_module, &(vs_script){replies});
    assert(played->error != NULL && strstr(played->error, "`admin` is missing") != NULL);
}

int main(void) {
    an_administrator_adds_edits_and_removes_a_user_and_leaves_nothing_behind();
    cleanup_removes_what_is_there_and_forgets_what_is_gone();
    without_an_account_in_the_config_the_session_fails_and_says_what_to_write();
    return 0;
}
