// Plays the journey, whatever it asks for: `./test`.

import vespeiro.Answer
import vespeiro.play

/** What the journey reads in a body stands here, by its route. */
val bodies = mapOf<String, Any>()

fun all(status: Int, ordinal: Int) = play(behavior, answer = { Answer(status, bodies[it.route]) }, ordinal = ordinal)

fun theJourneyComesToItsEndAndItsChecksHold() {
    for (ordinal in 0..1) {
        val played = all(200, ordinal)
        check(played.ending == "completed" && played.requests.isNotEmpty()) { "${played.ending} ${played.error} ${played.routes}" }
        check(played.checks.all { it.second }) { played.checks }
    }
}

fun aServiceThatFailsIsNoMistakeOfTheJourney() {
    val played = all(503, 0)
    check(played.error == null) { played.error.orEmpty() }
}

fun main() {
    theJourneyComesToItsEndAndItsChecksHold()
    aServiceThatFailsIsNoMistakeOfTheJourney()
}
