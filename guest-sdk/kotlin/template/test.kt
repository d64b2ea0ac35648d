// Plays the journey against scripted replies: `./test`.

import vespeiro.Answer
import vespeiro.Fault
import vespeiro.play

val replies = mapOf(
    "POST /api/v1/users" to listOf(Answer(201)),
    "POST /api/v1/auth/login" to listOf(
        Answer(200, mapOf("data" to mapOf("access_token" to "a", "expires_in" to 900, "user" to mapOf("id" to "7")))),
    ),
    "GET /api/v1/users" to listOf(Answer(200, mapOf("data" to listOf(mapOf("id" to "7"), mapOf("id" to "8"))))),
    "GET /api/v1/users/{userId}/roles" to listOf(Answer(200)),
    "PUT /api/v1/users/{id}" to listOf(Answer(200)),
    "GET /api/v1/users/{id}" to listOf(Answer(200, mapOf("data" to mapOf("name" to "Ana Lima")))),
    "POST /api/v1/auth/logout" to listOf(Answer(204)),
)

fun aNewcomerRegistersLooksAroundChangesTheirNameAndLeaves() {
    val played = play(behavior, replies)
    check(played.ending == "completed") { "${played.ending} ${played.error} ${played.routes}" }
    check(played.routes.take(2) == listOf("POST /api/v1/users", "POST /api/v1/auth/login")) { played.routes }
    check(played.routes.last() == "POST /api/v1/auth/logout") { played.routes }
    check(played.leftBehind == listOf("user:sim_user_testrun0_0")) { played.leftBehind }
    check(played.checks == listOf("a new name reads as written" to false)) { played.checks }
}

fun whoHasAnAccountLogsInWithItAndGivesUpWhenTheServiceIsDown() {
    val played = play(behavior, replies + ("POST /api/v1/auth/login" to listOf(Answer(503))), ordinal = 1)
    check(played.ending == "abandoned" && played.requests.size == 1) { "${played.ending} ${played.error} ${played.routes}" }
}

fun aMistakeIsMadeWhenItIsAskedFor() {
    val played = play(behavior, replies, ordinal = 1, faults = listOf(Fault.INVALID_DATA))
    val mistakes = played.requests.filter { it.call.fault != null }.map { it.route }
    check(played.ending == "completed" && mistakes == listOf("PUT /api/v1/users/{id}")) { "${played.ending} ${played.error} $mistakes" }
}

fun main() {
    aNewcomerRegistersLooksAroundChangesTheirNameAndLeaves()
    whoHasAnAccountLogsInWithItAndGivesUpWhenTheServiceIsDown()
    aMistakeIsMadeWhenItIsAskedFor()
}
