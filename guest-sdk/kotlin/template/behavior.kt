// Someone who logs in, looks around and changes their own name. `./build` makes a module of it.

import vespeiro.Behavior
import vespeiro.Capture
import vespeiro.Fault
import vespeiro.Me
import vespeiro.Method
import vespeiro.Route
import vespeiro.Tokens

val LOGIN = Route(Method.POST, "/api/v1/auth/login", "auth")
val REFRESH = Route(Method.POST, "/api/v1/auth/refresh", "auth")
val LOGOUT = Route(Method.POST, "/api/v1/auth/logout", "auth")
val PEOPLE = Route(Method.GET, "/api/v1/users", "user-query")
val PERSON = Route(Method.GET, "/api/v1/users/{id}", "user-query")
val REGISTER = Route(Method.POST, "/api/v1/users", "user-mutation")
val EDIT = Route(Method.PUT, "/api/v1/users/{id}", "user-mutation")
val ROLES = Route(Method.GET, "/api/v1/users/{userId}/roles", "role-permission")

suspend fun journey(me: Me) {
    val user = me.user
    if (me.ordinal == 0) {
        me.thinkLong()
        val account = mapOf("username" to user.username, "email" to user.email, "password" to user.password, "name" to user.name)
        me.send(REGISTER(json = account, mark = "user:${user.username}")).expect(200, 201, 409)
    }
    me.think()
    val bearer = me.tokens(user.email, user.password)
    val id = bearer.logIn().json()["data"]["user"]["id"].text

    repeat(me.range(1, 3)) { page ->
        me.think()
        val list = me.send(PEOPLE(query = listOf("page" to page + 1, "per_page" to 10), bearer = bearer)).expect(200).json()
        me.observe("people on a page", list["data"].items.size.toDouble())
    }
    mistake(me, id, bearer)
    me.think()
    val (mine) = me.all(PERSON(id, bearer = bearer), ROLES(id, bearer = bearer, capture = Capture.NOTHING))
    mine.expect(200)

    me.thinkLong()
    val renamed = me.fakeName()
    me.send(EDIT(id, json = mapOf("name" to renamed), bearer = bearer)).expect(200)
    val read = me.send(PERSON(id, bearer = bearer)).expect(200).json()
    me.check("a new name reads as written", read["data"]["name"].text == renamed)
    bearer.logOut()
}

/** A wrong request, when the run's error mix asks for one. */
suspend fun mistake(me: Me, id: String, bearer: Tokens) {
    when (val fault = me.takeFault()) {
        Fault.NOT_FOUND -> me.send(PERSON("nobody", bearer = bearer, fault = fault))
        Fault.INVALID_DATA -> me.send(EDIT(id, json = mapOf("name" to ""), bearer = bearer, fault = fault))
        Fault.BAD_CREDENTIALS -> {
            val wrong = mapOf("email" to me.user.email, "password" to "not-the-password-1")
            me.send(LOGIN(json = wrong, fault = fault))
        }
        else -> {}
    }
}

val behavior = Behavior(
    name = "my-behavior",
    version = "0.1.0",
    routes = listOf(LOGIN, REFRESH, LOGOUT, PEOPLE, PERSON, REGISTER, EDIT, ROLES),
    login = LOGIN,
    refresh = REFRESH,
    logout = LOGOUT,
    journey = ::journey,
)
