// Someone who asks for `/health` and is done: the contract by wit-bindgen, without any SDK. As C and as C++ over WASI, which
// prints and looks at the clock.
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "archetype.h"

#ifdef __cplusplus
#include <iostream>
#include <stdexcept>
#include <string>

struct Left {
  int &times;
  ~Left() { times += 1; }
};

static void raise(uint32_t user, int year, int &times) {
  Left left{times};
  if (year > 0) throw std::runtime_error("I am " + std::to_string(user) + " in " + std::to_string(year));
}

// What is said comes up as an exception, through a function that has something to clean up.
static void say(uint32_t user, int year) {
  int times = 0;
  try {
    raise(user, year, times);
  } catch (const std::exception &said) {
    std::cout << said.what() << ", caught after " << times << std::endl;
  }
}
#else
#include <stdio.h>

static void say(uint32_t user, int year) {
  printf("I am %u in %d\n", user, year);
  fflush(stdout);
}
#endif

struct exports_vespeiro_behavior_behavior_session_t {
  uint32_t user;
  bool asked;
};

// An array of one that the bindings free.
#define ONE(type, list) ((list).len = 1, (list).ptr = (type *)calloc(1, sizeof(type)))

void exports_vespeiro_behavior_behavior_describe(vespeiro_behavior_types_description_t *ret) {
  archetype_string_dup(&ret->name, "without-sdk");
  archetype_string_dup(&ret->version, "0.1.0");
  ONE(vespeiro_behavior_types_route_t, ret->routes);
  archetype_string_dup(&ret->routes.ptr->path, "/health");
  archetype_string_dup(&ret->routes.ptr->category, "monitoring");
  ONE(archetype_string_t, ret->categories);
  archetype_string_dup(ret->categories.ptr, "monitoring");
}

exports_vespeiro_behavior_behavior_own_session_t
exports_vespeiro_behavior_behavior_constructor_session(vespeiro_behavior_types_setup_t *setup) {
  typedef struct exports_vespeiro_behavior_behavior_session_t session_t;
  session_t *session = (session_t *)calloc(1, sizeof(session_t));
  session->user = setup->user.index;
  exports_vespeiro_behavior_behavior_setup_free(setup);
  return exports_vespeiro_behavior_behavior_session_new(session);
}

void exports_vespeiro_behavior_behavior_session_destructor(
    struct exports_vespeiro_behavior_behavior_session_t *session) {
  free(session);
}

bool exports_vespeiro_behavior_behavior_method_session_next(
    struct exports_vespeiro_behavior_behavior_session_t *self, vespeiro_behavior_types_context_t *context,
    exports_vespeiro_behavior_behavior_list_outcome_t *outcomes, vespeiro_behavior_types_step_t *ret,
    archetype_string_t *err) {
  bool fine = true;
  ret->delay_ms = 0;
  if (self->asked) {
    const vespeiro_behavior_types_outcome_t *first = outcomes->ptr;
    fine = first->tag == VESPEIRO_BEHAVIOR_TYPES_OUTCOME_RESPONSE && first->val.response.status == 200;
    ret->action.tag = VESPEIRO_BEHAVIOR_TYPES_ACTION_DONE;
    ret->action.val.done = VESPEIRO_BEHAVIOR_TYPES_ENDING_COMPLETED;
    if (!fine) archetype_string_dup(err, "not healthy");
  } else {
    self->asked = true;
    time_t now = time(NULL);
    say(self->user, gmtime(&now)->tm_year + 1900);
    ret->action.tag = VESPEIRO_BEHAVIOR_TYPES_ACTION_REQUESTS;
    ONE(vespeiro_behavior_types_request_t, ret->action.val.requests);
    vespeiro_behavior_types_request_t *request = ret->action.val.requests.ptr;
    archetype_string_dup(&request->path, "/health");
    archetype_string_dup(&request->route, "/health");
    archetype_string_dup(&request->category, "monitoring");
  }
  exports_vespeiro_behavior_behavior_context_free(context);
  exports_vespeiro_behavior_behavior_list_outcome_free(outcomes);
  return fine;
}
