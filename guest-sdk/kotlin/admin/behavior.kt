// An administrator who logs in, looks around, and adds, edits and removes a user; and the cleanup after a run.
// `./build` makes a module of it.

import vespeiro.Behavior
import vespeiro.Capture
import vespeiro.Fault
import vespeiro.Me
import vespeiro.Method
import vespeiro.Route
import vespeiro.Tokens
import vespeiro.logOutMarked

val LOGIN = Route(Method.POST, "/api/v1/auth/login", "auth")
val REFRESH = Route(Method.POST, "/api/v1/auth/refresh", "auth")
val LOGOUT = Route(Method.POST, "/api/v1/auth/logout", "auth")
val PEOPLE = Route(Method.GET, "/api/v1/users", "user-query")
val PERSON = Route(Method.GET, "/api/v1/users/{id}", "user-query")
val BY_NAME = Route(Method.GET, "/api/v1/users/username/{username}", "user-query")
val ADD = Route(Method.POST, "/api/v1/users", "user-mutation")
val EDIT = Route(Method.PUT, "/api/v1/users/{id}", "user-mutation")
val ROLES = Route(Method.GET, "/api/v1/users/{userId}/roles", "role-permission")
val DEACTIVATE = Route(Method.PUT, "/api/v1/users/{id}/deactivate", "admin")
val REMOVE = Route(Method.DELETE, "/api/v1/users/{id}", "admin")

suspend fun journey(me: Me) {
    val bearer = administrator(me)
    bearer.logIn()
    repeat(me.range(1, 3)) { page ->
        me.think()
        val list = me.send(PEOPLE(query = listOf("page" to page + 1, "per_page" to 20), bearer = bearer)).expect(200).json()
        me.observe("people on a page", list["data"].items.size.toDouble())
    }
    mistake(me, bearer)

    me.thinkLong()
    val username = "sim_user_${me.run}_${me.user.index}_${me.ordinal * 1000}"
    val mark = "user:$username"
    val account = mapOf("username" to username, "email" to "$username@simulation.test", "password" to "SimPass123!", "name" to me.fakeName())
    val id = me.send(ADD(json = account, bearer = bearer, mark = mark)).expect(201).json()["data"]["id"].text

    me.thinkLong()
    val renamed = me.fakeName()
    me.send(EDIT(id, json = mapOf("name" to renamed), bearer = bearer)).expect(200)
    val (person, roles) = me.all(PERSON(id, bearer = bearer), ROLES(id, bearer = bearer, capture = Capture.NOTHING))
    me.check("a new name reads as written", person.expect(200).json()["data"]["name"].text == renamed)
    roles.expect(200)

    me.think()
    me.send(DEACTIVATE(id, bearer = bearer, capture = Capture.NOTHING)).expect(200)
    me.think()
    me.send(REMOVE(id, bearer = bearer, capture = Capture.NOTHING)).expect(204)
    me.unmark(mark)
    bearer.logOut()
}

/** Logs out what sessions could not, then removes the users that they have left behind. */
suspend fun cleanup(me: Me) {
    val bearer = administrator(me)
    for (mark in me.logOutMarked().filter { it.startsWith("user:") }) {
        val reply = me.send(BY_NAME(mark.removePrefix("user:"), bearer = bearer))
        if (reply.ok) {
            me.send(REMOVE(reply.json()["data"]["id"].text, bearer = bearer, capture = Capture.NOTHING)).expect(204, 404)
        }
        if (reply.ok || reply.status == 404) me.unmark(mark)
    }
    bearer.logOut()
}

/** A wrong request, when the run's error mix asks for one. */
suspend fun mistake(me: Me, bearer: Tokens) {
    when (val fault = me.takeFault()) {
        Fault.NOT_FOUND -> me.send(PERSON("nobody", bearer = bearer, fault = fault))
        Fault.INVALID_DATA -> me.send(ADD(json = mapOf("username" to ""), bearer = bearer, fault = fault))
        else -> {}
    }
}

fun administrator(me: Me): Tokens {
    val account = me.config["admin"]
    val email = account["email"].textOrNull
    val password = account["password"].textOrNull
    if (email == null || password == null) {
        me.fail("`admin` is missing: give the archetype's config `admin = { email = \"…\", password = \"…\" }`")
    }
    return me.tokens(email, password).lasting()
}

val behavior = Behavior(
    name = "my-behavior",
    version = "0.1.0",
    routes = listOf(LOGIN, REFRESH, LOGOUT, PEOPLE, PERSON, BY_NAME, ADD, EDIT, ROLES, DEACTIVATE, REMOVE),
    login = LOGIN,
    refresh = REFRESH,
    logout = LOGOUT,
    cleanup = ::cleanup,
    journey = ::journey,
)
