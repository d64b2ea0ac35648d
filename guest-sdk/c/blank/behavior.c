//! What one person does, top to bottom. `./build` makes a module of it.

#include "vespeiro/vespeiro.h"

static const vs_route HEALTH = {VS_GET, "/health", "monitoring"};

/// What a session keeps from one request to the next; locals do not outlive one.
typedef struct {
    unsigned visits;
} walk;

static vs_turn journey(vs_me *me) {
    walk *my = me->state;
    VS_BEGIN(me);
    VS_SEND(me, &HEALTH);
    vs_check(me, "the service is up", me->reply->status == 200);
    my->visits += 1;
    vs_think(me);
    VS_END(me);
}

const vs_behavior vs_behavior_of_module = {
    .name = "my-behavior",
    .version = "0.1.0",
    .routes = (const vs_route *const[]){&HEALTH, NULL},
    .journey = journey,
    .state = sizeof(walk),
};
