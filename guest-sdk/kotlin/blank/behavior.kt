// What one person does, top to bottom. `./build` makes a module of it.

import vespeiro.Behavior
import vespeiro.Me
import vespeiro.Method
import vespeiro.Route

val HEALTH = Route(Method.GET, "/health", "monitoring")

suspend fun journey(me: Me) {
    val reply = me.send(HEALTH())
    me.check("the service is up", reply.status == 200)
    me.think()
}

val behavior = Behavior(name = "my-behavior", version = "0.1.0", routes = listOf(HEALTH), journey = ::journey)
