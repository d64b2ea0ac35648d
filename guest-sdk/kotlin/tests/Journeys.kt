// The executor from outside, through the harness: how journeys become steps. Every test is one promise that authors of
// journeys rely on. Compiled into a project that was built.

package tests

import vespeiro.Answer
import vespeiro.Behavior
import vespeiro.Capture
import vespeiro.Choice
import vespeiro.Failure
import vespeiro.Fault
import vespeiro.Json
import vespeiro.Me
import vespeiro.Method
import vespeiro.Played
import vespeiro.Route
import vespeiro.play

private val LOGIN = Route(Method.POST, "/login", "auth")
private val REFRESH = Route(Method.POST, "/refresh", "auth")
private val LOGOUT = Route(Method.POST, "/logout", "auth")
private val PLAIN = Route(Method.GET, "/b", "query")
private val TWO = Route(Method.GET, "/a/{x}/{y}", "query")
private val GRANTED = Answer(200, mapOf("access_token" to "one", "refresh_token" to "again", "expires_in" to 100))

private fun behavior(journey: suspend (Me) -> Unit) =
    Behavior("test", "0.0.0", listOf(LOGIN, REFRESH, LOGOUT, PLAIN, TWO), LOGIN, REFRESH, LOGOUT, journey = journey)

private fun played(replies: Map<String, List<Answer>> = emptyMap(), pace: IntRange = 700..700, budget: Int = 1000, journey: suspend (Me) -> Unit): Played {
    val fine = Answer(200, emptyMap<String, Any>())
    return play(behavior(journey), replies, { if (it.route in replies) null else fine }, pace = pace, budget = budget)
}

private fun Played.ends(ending: String) = also {
    check(this.ending == ending) { "${this.ending} ${this.error} $routes" }
    check(checks.all { it.second }) { checks }
}

private fun aPauseAndWhatFollowsAreOneStep() {
    val played = played {
        it.pause(30)
        it.pause(12)
        it.send(PLAIN())
        it.think()
        it.send(PLAIN())
        it.pause(5)
    }.ends("completed")
    check(played.delays == listOf(42L, 700L, 5L) && played.elapsedMs == 42L + 1 + 700 + 1 + 5) { played.delays }
}

private fun pausesKeepWithinThePace() {
    val played = played(pace = 100..2000) { me ->
        repeat(100) {
            for (pause in listOf(me::think, me::thinkLong, me::thinkBriefly, { me.thinkBetween(10, 400) })) {
                pause()
                me.send(PLAIN())
            }
        }
    }.ends("completed")
    val bounds = listOf(100L..2000L, 1050L..2000L, 100L..290L, 100L..400L)
    played.delays.take(400).forEachIndexed { at, ms -> check(ms in bounds[at % 4]) { "$at: $ms" } }
    check(played.delays.distinct().size > 100)
}

private fun aPathIsFilledAndEncoded() {
    val played = played { it.send(TWO("a b/ç", 7, query = listOf("q" to "ä&b", "q" to 2))) }.ends("completed")
    check(played.requests[0].call.target == "/a/a%20b%2F%C3%A7/7?q=%C3%A4%26b&q=2") { played.requests[0].call.target }
    for (few in listOf<suspend (Me) -> Unit>({ it.send(TWO("x")) }, { it.send(TWO("x", "y", "z")) }, { it.send(TWO("", "y")) })) {
        check(played(journey = few).error.orEmpty().contains("GET /a/{x}/{y}"))
    }
}

private fun aTokenIsRenewedBeforeItEndsAndGotAnewAfterARefusal() {
    val replies = mapOf(
        "POST /login" to listOf(GRANTED), "POST /refresh" to listOf(Answer(200, mapOf("access_token" to "two"))),
        "GET /b" to listOf(Answer(200), Answer(401), Answer(200)),
    )
    val played = played(replies) { me ->
        val bearer = me.tokens("a", "b").lasting()
        me.send(PLAIN(bearer = bearer))
        me.pause(80_000)
        me.send(PLAIN(bearer = bearer)).expect(200)
        bearer.logOut()
    }.ends("completed")
    check(played.routes == listOf("POST /login", "GET /b", "POST /refresh", "GET /b", "POST /login", "GET /b", "POST /logout")) { played.routes }
    check(played.requests.filter { it.route == "GET /b" }.map { it.authorization } == listOf("Bearer one", "Bearer two", "Bearer one"))
    check(played.leftBehind.isEmpty()) { played.leftBehind }
}

private fun whoGetsNoAnswerGivesUpUnlessTheyLook() {
    val down = mapOf("GET /b" to listOf(Answer(failure = Failure.CONNECT)))
    played(down) { it.send(PLAIN()) }.ends("abandoned")
    played(down) { me -> me.check("it failed", me.attempt(PLAIN())[0].failure == Failure.CONNECT) }.ends("completed")
    played(budget = 3) { me -> while (true) me.all(PLAIN(), PLAIN()) }.ends("abandoned").also { check(it.requests.size == 3) }
}

private fun whatIsWrongInAJourneyFailsItInWords() {
    check(played { it.send(Route(Method.GET, "/c", "query")()) }.error.orEmpty().contains("GET /c is not among"))
    check(played { error("on purpose") }.error.orEmpty().contains("on purpose"))
    val strange = played(mapOf("GET /b" to listOf(Answer(200, "text")))) { it.send(PLAIN()).json()["data"][0]["id"].text }.ends("abandoned")
    check(strange.logs == listOf("GET /b: unexpected body: `data`: item 0: `id` is no text")) { strange.logs }
}

private fun choicesFollowTheMix() {
    val journey: suspend (Me) -> Unit = { me ->
        val chosen = List(1000) { me.choose(Choice(1.0, "auth"), Choice(1.0, "query")) }.sum()
        me.check("steered", chosen in 850..990)
    }
    val steered = play(behavior(journey), wanted = mapOf("query" to 8f), faults = listOf(Fault.FORBIDDEN))
    check(steered.ending == "completed" && steered.checks == listOf("steered" to true)) { steered.checks }
}

private fun jsonIsReadAndWrittenAsItIs() {
    val text = """{"a":[1,-2.5e3,true,null,"\u00e7\n\"\\"],"b":{}}"""
    val read = Json.read(text)
    check(Json.read(Json.write(read)).value == read.value && read["a"][4].text == "ç\n\"\\" && read["a"][1].number == -2500.0)
    for (wrong in listOf("", "{", "[1,]", "{\"a\"}", "\"a", "\"\\u12", "tru", "1 2", "-", "[".repeat(1000))) {
        check(runCatching { Json.read(wrong) }.exceptionOrNull() is IllegalArgumentException) { wrong }
    }
}

fun main() {
    aPauseAndWhatFollowsAreOneStep()
    pausesKeepWithinThePace()
    aPathIsFilledAndEncoded()
    aTokenIsRenewedBeforeItEndsAndGotAnewAfterARefusal()
    whoGetsNoAnswerGivesUpUnlessTheyLook()
    whatIsWrongInAJourneyFailsItInWords()
    choicesFollowTheMix()
    jsonIsReadAndWrittenAsItIs()
}
