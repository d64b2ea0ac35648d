//! An administrator who logs in, looks around, and adds, edits and removes a user; and the cleanup after a run.
//! `./build` makes a module of it.

#include "vespeiro/vespeiro.h"

static const vs_route LOGIN = {VS_POST, "/api/v1/auth/login", "auth"};
static const vs_route REFRESH = {VS_POST, "/api/v1/auth/refresh", "auth"};
static const vs_route LOGOUT = {VS_POST, "/api/v1/auth/logout", "auth"};
static const vs_route PEOPLE = {VS_GET, "/api/v1/users", "user-query"};
static const vs_route PERSON = {VS_GET, "/api/v1/users/{id}", "user-query"};
static const vs_route BY_NAME = {VS_GET, "/api/v1/users/username/{username}", "user-query"};
static const vs_route ADD = {VS_POST, "/api/v1/users", "user-mutation"};
static const vs_route EDIT = {VS_PUT, "/api/v1/users/{id}", "user-mutation"};
static const vs_route ROLES = {VS_GET, "/api/v1/users/{userId}/roles", "role-permission"};
static const vs_route DEACTIVATE = {VS_PUT, "/api/v1/users/{id}/deactivate", "admin"};
static const vs_route REMOVE = {VS_DELETE, "/api/v1/users/{id}", "admin"};

/// What a session keeps from one request to the next; locals do not outlive one.
typedef struct {
    vs_tokens bearer;
    char email[128], password[128];
    char id[64], name[64], username[96];
    size_t at;
    unsigned page, pages;
} shift;

static bool is_administrator(vs_me *me) {
    shift *my = me->state;
    my->bearer.name = my->email;
    my->bearer.password = my->password;
    my->bearer.lasting = true;
    return VS_READ(me->config, "admin.email", my->email) && VS_READ(me->config, "admin.password", my->password);
}

static const char MISSING[] = "`admin` is missing: give the archetype's config `admin = { email = \"…\", password = \"…\" }`";

/// A wrong request, when the run's error mix asks for one.
static vs_turn mistake(vs_me *me) {
    shift *my = me->state;
    VS_BEGIN(me);
    const vs_fault fault = vs_take_fault(me);
    if (fault == VS_NOT_FOUND) {
        VS_SEND(me, &PERSON, .args = {"nobody"}, .bearer = &my->bearer, .fault = VS_NOT_FOUND);
    } else if (fault == VS_INVALID_DATA) {
        VS_SEND(me, &ADD, .json = "{\"username\":\"\"}", .bearer = &my->bearer, .fault = VS_INVALID_DATA);
    }
    VS_END(me);
}

static vs_turn journey(vs_me *me) {
    shift *my = me->state;
    char name[64] = "";
    VS_BEGIN(me);
    if (!is_administrator(me)) return vs_fail(me, MISSING);
    VS_LOGIN(me, &my->bearer);
    my->pages = (unsigned)vs_range(me, 1, 3);
    for (my->page = 1; my->page <= my->pages; my->page += 1) {
        vs_think(me);
        VS_SEND(me, &PEOPLE, .query = {{"page", vs_number(me, my->page)}, {"per_page", "20"}}, .bearer = &my->bearer);
        VS_EXPECT(me, 200);
        vs_observe(me, "people on a page", (double)vs_read_count(me->reply->body, "data"));
    }
    VS_RUN(me, mistake(me));

    vs_think_long(me);
    VS_KEEP(my->username, vs_text(me, "sim_user_%s_%u_%u", me->run, me->user.index, me->ordinal * 1000));
    VS_KEEP(my->name, vs_fake_name(me));
    VS_SEND(me, &ADD, .bearer = &my->bearer, .mark = vs_text(me, "user:%s", my->username),
            .json = vs_object(me, "username", vs_string(me, my->username), "email",
                              vs_string(me, vs_text(me, "%s@simulation.test", my->username)), "password", "\"SimPass123!\"",
                              "name", vs_string(me, my->name)));
    VS_EXPECT(me, 201);
    VS_NEED(me, VS_READ(me->reply->body, "data.id", my->id), "`data.id`");

    vs_think_long(me);
    VS_KEEP(my->name, vs_fake_name(me));
    VS_SEND(me, &EDIT, .args = {my->id}, .json = vs_object(me, "name", vs_string(me, my->name)), .bearer = &my->bearer);
    VS_EXPECT(me, 200);
    VS_ALL(me, {&PERSON, .args = {my->id}, .bearer = &my->bearer},
           {&ROLES, .args = {my->id}, .bearer = &my->bearer, .capture = VS_NOTHING});
    VS_EXPECT(me, 200);
    VS_EXPECT_OF(me, &me->reply[1], 200);
    VS_NEED(me, VS_READ(me->reply->body, "data.name", name), "`data.name`");
    vs_check(me, "a new name reads as written", vs_equal(name, my->name));

    vs_think(me);
    VS_SEND(me, &DEACTIVATE, .args = {my->id}, .bearer = &my->bearer, .capture = VS_NOTHING);
    VS_EXPECT(me, 200);
    vs_think(me);
    VS_SEND(me, &REMOVE, .args = {my->id}, .bearer = &my->bearer, .capture = VS_NOTHING);
    VS_EXPECT(me, 204);
    vs_unmark(me, vs_text(me, "user:%s", my->username));
    VS_LOGOUT(me, &my->bearer);
    VS_END(me);
}

/// Logs out what sessions could not, then removes the users that they have left behind.
static vs_turn cleanup(vs_me *me) {
    shift *my = me->state;
    VS_BEGIN(me);
    if (!is_administrator(me)) return vs_fail(me, MISSING);
    VS_LOGOUT_MARKED(me);
    for (; my->at < me->mark_count; my->at += 1) {
        if (!vs_begins(me->marks[my->at], "user:")) continue;
        VS_SEND(me, &BY_NAME, .args = {me->marks[my->at] + sizeof "user:" - 1}, .bearer = &my->bearer);
        if (me->reply->status == 200) {
            VS_NEED(me, VS_READ(me->reply->body, "data.id", my->id), "`data.id`");
            VS_SEND(me, &REMOVE, .args = {my->id}, .bearer = &my->bearer, .capture = VS_NOTHING);
            VS_EXPECT(me, 204, 404);
            vs_unmark(me, me->marks[my->at]);
        } else if (me->reply->status == 404) {
            vs_unmark(me, me->marks[my->at]);
        }
    }
    VS_LOGOUT(me, &my->bearer);
    VS_END(me);
}

const vs_behavior vs_behavior_of_module = {
    .name = "my-behavior",
    .version = "0.1.0",
    .routes = (const vs_route *const[]){&LOGIN, &REFRESH, &LOGOUT, &PEOPLE, &PERSON, &BY_NAME, &ADD, &EDIT, &ROLES, &DEACTIVATE,
                                        &REMOVE, NULL},
    .login = &LOGIN,
    .refresh = &REFRESH,
    .logout = &LOGOUT,
    .journey = journey,
    .cleanup = cleanup,
    .state = sizeof(shift),
};
