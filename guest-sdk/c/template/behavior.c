//! Someone who logs in, looks around and changes their own name. `./build` makes a module of it.

#include "vespeiro/vespeiro.h"

static const vs_route LOGIN = {VS_POST, "/api/v1/auth/login", "auth"};
static const vs_route REFRESH = {VS_POST, "/api/v1/auth/refresh", "auth"};
static const vs_route LOGOUT = {VS_POST, "/api/v1/auth/logout", "auth"};
static const vs_route PEOPLE = {VS_GET, "/api/v1/users", "user-query"};
static const vs_route PERSON = {VS_GET, "/api/v1/users/{id}", "user-query"};
static const vs_route REGISTER = {VS_POST, "/api/v1/users", "user-mutation"};
static const vs_route EDIT = {VS_PUT, "/api/v1/users/{id}", "user-mutation"};
static const vs_route ROLES = {VS_GET, "/api/v1/users/{userId}/roles", "role-permission"};

/// What a session keeps from one request to the next; locals do not outlive one.
typedef struct {
    vs_tokens bearer;
    char id[64];
    char name[64];
    unsigned page, pages;
} walk;

/// A wrong request, when the run's error mix asks for one.
static vs_turn mistake(vs_me *me) {
    walk *my = me->state;
    VS_BEGIN(me);
    const vs_fault fault = vs_take_fault(me);
    if (fault == VS_NOT_FOUND) {
        VS_SEND(me, &PERSON, .args = {"nobody"}, .bearer = &my->bearer, .fault = VS_NOT_FOUND);
    } else if (fault == VS_INVALID_DATA) {
        VS_SEND(me, &EDIT, .args = {my->id}, .json = "{\"name\":\"\"}", .bearer = &my->bearer, .fault = VS_INVALID_DATA);
    } else if (fault == VS_BAD_CREDENTIALS) {
        VS_SEND(me, &LOGIN, .fault = VS_BAD_CREDENTIALS,
                .json = vs_object(me, "email", vs_string(me, me->user.email), "password", "\"not-the-password-1\""));
    }
    VS_END(me);
}

static vs_turn journey(vs_me *me) {
    walk *my = me->state;
    char name[64] = "";
    VS_BEGIN(me);
    my->bearer.name = me->user.email;
    my->bearer.password = me->user.password;
    if (me->ordinal == 0) {
        vs_think_long(me);
        VS_SEND(me, &REGISTER, .mark = vs_text(me, "user:%s", me->user.username),
                .json = vs_object(me, "username", vs_string(me, me->user.username), "email", vs_string(me, me->user.email),
                                  "password", vs_string(me, me->user.password), "name", vs_string(me, me->user.name)));
        VS_EXPECT(me, 200, 201, 409);
    }
    vs_think(me);
    VS_LOGIN(me, &my->bearer);
    VS_NEED(me, VS_READ(me->reply->body, "data.user.id", my->id), "`data.user.id`");

    my->pages = (unsigned)vs_range(me, 1, 3);
    for (my->page = 1; my->page <= my->pages; my->page += 1) {
        vs_think(me);
        VS_SEND(me, &PEOPLE, .query = {{"page", vs_number(me, my->page)}, {"per_page", "10"}}, .bearer = &my->bearer);
        VS_EXPECT(me, 200);
        vs_observe(me, "people on a page", (double)vs_read_count(me->reply->body, "data"));
    }
    VS_RUN(me, mistake(me));
    vs_think(me);
    VS_ALL(me, {&PERSON, .args = {my->id}, .bearer = &my->bearer},
           {&ROLES, .args = {my->id}, .bearer = &my->bearer, .capture = VS_NOTHING});
    VS_EXPECT(me, 200);

    vs_think_long(me);
    VS_KEEP(my->name, vs_fake_name(me));
    VS_SEND(me, &EDIT, .args = {my->id}, .json = vs_object(me, "name", vs_string(me, my->name)), .bearer = &my->bearer);
    VS_EXPECT(me, 200);
    VS_SEND(me, &PERSON, .args = {my->id}, .bearer = &my->bearer);
    VS_EXPECT(me, 200);
    VS_NEED(me, VS_READ(me->reply->body, "data.name", name), "`data.name`");
    vs_check(me, "a new name reads as written", vs_equal(name, my->name));
    VS_LOGOUT(me, &my->bearer);
    VS_END(me);
}

const vs_behavior vs_behavior_of_module = {
    .name = "my-behavior",
    .version = "0.1.0",
    .routes = (const vs_route *const[]){&LOGIN, &REFRESH, &LOGOUT, &PEOPLE, &PERSON, &REGISTER, &EDIT, &ROLES, NULL},
    .login = &LOGIN,
    .refresh = &REFRESH,
    .logout = &LOGOUT,
    .journey = journey,
    .state = sizeof(walk),
};
