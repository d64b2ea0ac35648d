// Plays the journey and the cleanup against scripted replies: `./test`.

import vespeiro.Answer
import vespeiro.play

val config = mapOf("admin" to mapOf("email" to "admin@example.test", "password" to "secret"))

val replies = mapOf(
    "POST /api/v1/auth/login" to listOf(Answer(200, mapOf("data" to mapOf("access_token" to "a", "expires_in" to 900)))),
    "GET /api/v1/users" to listOf(Answer(200, mapOf("data" to listOf(mapOf("id" to "7"), mapOf("id" to "8"))))),
    "POST /api/v1/users" to listOf(Answer(201, mapOf("data" to mapOf("id" to "9")))),
    "PUT /api/v1/users/{id}" to listOf(Answer(200)),
    "GET /api/v1/users/{id}" to listOf(Answer(200, mapOf("data" to mapOf("name" to "Ana Lima")))),
    "GET /api/v1/users/{userId}/roles" to listOf(Answer(200)),
    "PUT /api/v1/users/{id}/deactivate" to listOf(Answer(200)),
    "DELETE /api/v1/users/{id}" to listOf(Answer(204)),
    "GET /api/v1/users/username/{username}" to listOf(Answer(200, mapOf("data" to mapOf("id" to "9")))),
    "POST /api/v1/auth/logout" to listOf(Answer(204)),
)

fun anAdministratorAddsEditsAndRemovesAUserAndLeavesNothingBehind() {
    val played = play(behavior, replies, config = config)
    check(played.ending == "completed") { "${played.ending} ${played.error} ${played.routes}" }
    check(played.routes.first() == "POST /api/v1/auth/login") { played.routes }
    check(played.unmarks == listOf("user:sim_user_testrun0_0_0", "token:Bearer a")) { played.unmarks }
    check(played.leftBehind.isEmpty()) { played.leftBehind }
}

fun cleanupRemovesWhatIsThereAndForgetsWhatIsGone() {
    val marks = listOf("token:Bearer cut", "user:sim_user_x", "user:gone", "role:x")
    val gone = Answer(404)
    val played = play(behavior, replies, answer = { if (it.call.target.endsWith("/gone")) gone else null }, config = config, cleanup = marks)
    check(played.ending == "completed") { "${played.ending} ${played.error} ${played.routes}" }
    check(played.unmarks == marks.take(3) + "token:Bearer a") { played.unmarks }
}

fun withoutAnAccountInTheConfigTheSessionFailsAndSaysWhatToWrite() {
    val played = play(behavior, replies)
    check(played.error.orEmpty().contains("`admin` is missing")) { "${played.ending} ${played.error}" }
}

fun main() {
    anAdministratorAddsEditsAndRemovesAUserAndLeavesNothingBehind()
    cleanupRemovesWhatIsThereAndForgetsWhatIsGone()
    withoutAnAccountInTheConfigTheSessionFailsAndSaysWhatToWrite()
}
