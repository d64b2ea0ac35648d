//! Plays the journey, whatever it asks for: `./test`.

#undef NDEBUG
#include <assert.h>

#include "vespeiro/harness.h"

/// What the journey reads in a body stands before the last: `{"GET /items", 200, "{\"items\":[]}"}`.
static const vs_scripted replies[] = {{"*", 200, "{}"}, {NULL}};
static const vs_scripted down[] = {{"*", 503}, {NULL}};

static void the_journey_comes_to_its_end_and_its_checks_hold(uint32_t ordinal) {
    const vs_played *played = vs_play(&vs_behavior_of_module, &(vs_script){replies, .ordinal = ordinal});
    assert(vs_ended(played, "completed"));
    assert(played->request_count > 0);
    for (size_t at = 0; at < played->check_count; at += 1) assert(played->checks[at].passed);
}

static void a_service_that_fails_is_no_mistake_of_the_journey(void) {
    const vs_played *played = vs_play(&vs_behavior_of_module, &(vs_script){down});
    assert(played->error == NULL);
}

int main(void) {
    the_journey_comes_to_its_end_and_its_checks_hold(0);
    the_journey_comes_to_its_end_and_its_checks_hold(1);
    a_service_that_fails_is_no_mistake_of_the_journey();
    return 0;
}
