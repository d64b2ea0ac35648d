// The test harness: plays a behavior on the JVM, against scripted replies, so that an author tests a journey without a
// network. It runs the executor that the module runs, and refuses what the host would refuse.

package vespeiro

private const val MAX_STEPS = 100_000
private const val LATENCY_MS = 1L

/** What a request is answered: a status with a body that becomes JSON, or a failure. */
class Answer(val status: Int = 0, val body: Any? = null, val failure: Failure? = null)

/** A request that the session sent. */
class Sent(val call: Call, val step: Int) {
    val route get() = call.route.toString()
    val body get() = call.body?.decodeToString().orEmpty()
    val authorization get() = call.headers.firstOrNull { it.first == "authorization" }?.second
}

/** What came of a session. [ending] is `completed` or `abandoned`, or null: [error] says why there is none. */
class Played {
    var ending: String? = null
    var error: String? = null
    val requests = mutableListOf<Sent>()
    val delays = mutableListOf<Long>()
    val checks = mutableListOf<Pair<String, Boolean>>()
    val observed = mutableListOf<Pair<String, Double>>()
    val marks = mutableListOf<String>()
    val unmarks = mutableListOf<String>()
    val logs = mutableListOf<String>()
    var elapsedMs = 0L

    /** Routes of all requests. */
    val routes get() = requests.map { it.route }

    /** Every mark, of requests and outside of them, that was not taken back. */
    val leftBehind get() = marks + requests.mapNotNull { it.call.mark } - unmarks.toSet()
}

/**
 * Play one session to its end. [replies] are by route, `GET /users/{id}`: of several answers each is given once, in order, and
 * the last one stays. [answer] goes before them: a reply for a request, by its path. [wanted] are points by category, [faults]
 * are asked for one after the other, [cleanup] are marks to clean up after, [feed] is the row that every data feed gives.
 */
fun play(
    behavior: Behavior,
    replies: Map<String, List<Answer>> = emptyMap(),
    answer: (Sent) -> Answer? = { null },
    seed: Long = 0,
    ordinal: Int = 0,
    user: Int = 0,
    config: Any? = emptyMap<String, Any>(),
    pace: IntRange = 100..2000,
    budget: Int = 1000,
    wanted: Map<String, Float>? = null,
    faults: List<Fault> = emptyList(),
    cleanup: List<String>? = null,
    feed: Any? = null,
): Played {
    val played = Played()
    val name = "sim_user_testrun0_$user"
    val identity = User(user, user.toLong(), name, "$name@simulation.test", "SimPass123!", "Simulated User")
    val setup = Setup(identity, ordinal, seed, cleanup, pace.first, pace.last, "testrun0", Json.write(config))
    val session = Session(behavior, Recorder(played, feed), setup)
    val mix = wanted?.let { points -> FloatArray(behavior.categories.size) { points[behavior.categories[it]] ?: 0f } } ?: FloatArray(0)
    val asked = faults.toMutableList()
    val given = mutableMapOf<String, Int>()
    var left = budget
    var outcomes = emptyList<Reply>()
    for (count in 0 until MAX_STEPS) {
        val step = session.next(Heard(played.elapsedMs, left, mix, asked.firstOrNull(), outcomes))
        played.delays.add(step.delayMs)
        played.elapsedMs += step.delayMs
        if (step.wrong != null || step.ending != null) {
            played.error = step.wrong
            played.ending = step.ending?.name?.lowercase()
            return played
        }
        val sent = step.requests.map { Sent(it, count) }
        played.requests += sent
        outcomes = sent.map { one ->
            if (one.call.fault != null && one.call.fault == asked.firstOrNull()) asked.removeAt(0)
            val scripted = replies[one.route].orEmpty()
            val at = given.merge(one.route, 1, Int::plus)!! - 1
            val said = answer(one) ?: scripted.getOrNull(minOf(at, scripted.size - 1))
            if (said == null) {
                played.error = "no reply is scripted for ${one.route}"
                return played
            }
            reply(said, one.call)
        }
        left -= outcomes.size
        if (outcomes.isNotEmpty()) played.elapsedMs += LATENCY_MS
    }
    played.error = "no end after $MAX_STEPS steps"
    return played
}

private fun reply(answer: Answer, call: Call): Reply {
    val sees = { what: Capture -> call.capture == what || call.capture == Capture.EVERYTHING }
    val body = if (answer.body != null && sees(Capture.BODY)) Json.write(answer.body).encodeToByteArray() else ByteArray(0)
    val headers = if (sees(Capture.HEADERS)) listOf("content-type" to "application/json") else emptyList()
    return Reply(answer.status, answer.failure, body, headers, LATENCY_MS * 1000)
}

/** The host of a session under test. */
private class Recorder(private val played: Played, private val row: Any?) : Host {
    override fun log(level: Level, message: String) { played.logs += message }
    override fun check(name: String, passed: Boolean) { played.checks += name to passed }
    override fun observe(metric: String, value: Double) { played.observed += metric to value }
    override fun mark(thing: String) { played.marks += thing }
    override fun unmark(thing: String) { played.unmarks += thing }
    override fun feed(name: String) = row?.let(Json::write)
}
