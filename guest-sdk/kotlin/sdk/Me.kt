// What a journey is given: who it is, what it may send, say and draw. The executor makes one for each session.

package vespeiro

import kotlin.math.abs
import kotlin.math.cos
import kotlin.math.exp
import kotlin.math.ln
import kotlin.math.roundToInt
import kotlin.math.sqrt

internal const val MAX_REQUESTS = 256
private const val MAX_DELAY_MS = 3_600_000L

/** The identity that the host made. */
class User(val index: Int, val seed: Long, val username: String, val email: String, val password: String, val name: String)

/** Level of a line in the log. */
enum class Level { DEBUG, INFO, WARN, ERROR }

/** A way to go on: how often, and the category of its requests. */
class Choice(val weight: Double, val category: String)

/** The person that a journey plays. */
class Me internal constructor(private val session: Session, setup: Setup) {
    val user = setup.user

    /** How many sessions this user has begun before. */
    val ordinal = setup.ordinal

    /** Identifier of the run; goes into the name of whatever is created. */
    val run = setup.run

    /** Bounds of the plan's pauses. */
    val delayMinMs = setup.delayMinMs
    val delayMaxMs = setup.delayMaxMs

    /** What cleanup has to remove, oldest first. */
    val marks = setup.marks.orEmpty()

    /** The archetype's configuration. */
    val config by lazy {
        try {
            Json.read(setup.config, "config")
        } catch (cause: IllegalArgumentException) {
            throw Wrong("config: ${cause.message}")
        }
    }

    /** Since the session began, pauses included. */
    var elapsedMs = 0L
        internal set

    /** How many more requests this user may send. At 0 the next request ends the session. */
    var requestsLeft = 0
        internal set
    internal var mix = FloatArray(0)
    internal var fault: Fault? = null
    internal val behavior get() = session.behavior

    /** The session's own, from its seed. Nothing else is random. */
    val random = Random(setup.seed)

    /** Send one request and wait for its reply; without a response the person gives up. */
    suspend fun send(call: Call) = all(call)[0]

    /** Send several together; their replies come in order. */
    suspend fun all(vararg calls: Call) = attempt(*calls).onEach { if (it.failure != null) giveUp() }

    /** As [all], whatever comes: look at each reply's failure. */
    suspend fun attempt(vararg calls: Call): List<Reply> {
        if (calls.size > MAX_REQUESTS) fail("more than $MAX_REQUESTS requests at once")
        for (call in calls) {
            if (call.route !in behavior.routes) fail("${call.route} is not among the behavior's routes: declare it there")
            if (call.bearer?.isDue == true) call.bearer.renew()
        }
        val replies = session.exchange(calls.map(Call::signed)).toMutableList()
        val again = calls.indices.filter { calls[it].bearer != null && calls[it].fault == null && replies[it].status == 401 }
        for (bearer in again.mapNotNull { calls[it].bearer }.distinct()) bearer.logInAnew()
        if (again.isNotEmpty()) {
            val anew = session.exchange(again.map { calls[it].signed() })
            again.forEachIndexed { at, place -> replies[place] = anew[at] }
        }
        return replies
    }

    /** Ends the session: the person gives up. */
    fun giveUp(): Nothing = throw GaveUp(null)

    /** Ends the session: the behavior itself is wrong. The message goes to the host's log. */
    fun fail(message: String): Nothing = throw Wrong(message)

    /** Tokens of an account, not logged in yet. */
    fun tokens(name: String, password: String) = Tokens(this, name, password)

    /** A human pause: log-normal over the plan's whole pace, most of them rather short, a few long. */
    fun think() = drawn(delayMinMs, delayMaxMs)

    /** A pause before sending a form: in the upper half of the pace. */
    fun thinkLong() = drawn(delayMinMs + spread / 2, delayMaxMs)

    /** A pause as between quick searches: in the lowest tenth of the pace. */
    fun thinkBriefly() = drawn(delayMinMs, delayMinMs + spread / 10)

    /** A pause between these bounds in milliseconds, clamped to the pace. */
    fun thinkBetween(low: Int, high: Int) {
        fun clamped(ms: Int) = maxOf(delayMinMs, minOf(delayMaxMs, ms))
        drawn(clamped(low), clamped(high))
    }

    /** A pause of exactly so many milliseconds, whatever the pace. Pauses delay what is sent next, by an hour at most. */
    fun pause(ms: Int) {
        val more = minOf(ms.coerceAtLeast(0).toLong(), MAX_DELAY_MS - session.delayMs)
        session.delayMs += more
        elapsedMs += more
    }

    private val spread get() = (delayMaxMs - delayMinMs).coerceAtLeast(0)

    // The bounds lie two standard deviations away from the geometric mean; what falls outside is drawn again.
    private fun drawn(low: Int, high: Int) {
        if (high <= low) return pause(low)
        val from = ln(maxOf(low, 1).toDouble())
        val to = ln(high.toDouble())
        val normal = generateSequence { normal() }.take(4).firstOrNull { abs(it) <= 2 } ?: 0.0
        pause(exp((from + to) / 2 + (to - from) / 4 * normal).roundToInt().coerceIn(low, high))
    }

    private fun normal() = sqrt(-2 * ln(1 - random.fraction())) * cos(2 * kotlin.math.PI * random.fraction())

    /** Counts something that should hold, and whether it did. It gives [passed] back. */
    fun check(name: String, passed: Boolean): Boolean {
        session.host.check(name, passed)
        return passed
    }

    /** Adds a value to a custom metric. */
    fun observe(metric: String, value: Double) = session.host.observe(metric, value)

    /** Says that something was created, `<kind>:<name>`; a call's mark says it earlier and is safer. */
    fun mark(thing: String) = session.host.mark(thing)

    /** Says that a marked thing is gone. */
    fun unmark(thing: String) = session.host.unmark(thing)

    /** Writes a line to the host's log. Never a secret. */
    fun log(level: Level, message: String) = session.host.log(level, message)

    /** The next row of one of the plan's data feeds; null when there is none for this user. */
    fun feed(name: String) = session.host.feed(name)?.let { Json.read(it, "feed $name") }

    /** The wrong request that the host asks for right now, once: whoever takes it commits it with the next one. */
    fun takeFault() = fault.also { fault = null }

    /** How far the run is from the plan's share of a category, in percentage points; above 0 it is wanted. */
    fun wanted(category: String) = mix.getOrNull(behavior.categories.indexOf(category))?.toDouble() ?: 0.0

    /** A whole number, both bounds included. */
    fun range(low: Int, high: Int) = low + random.below(high - low + 1)

    /** True with this probability. */
    fun chance(probability: Double) = random.fraction() < probability

    /** One of them. */
    fun <T> pick(from: List<T>) = from[random.below(from.size)]

    /**
     * The position of one of the choices: by weight, steered towards the categories that the plan's mix still wants. A
     * category that is n percentage points short has its weight multiplied by e^(n/3).
     */
    fun choose(vararg choices: Choice): Int {
        val weights = choices.map { maxOf(it.weight, 0.0) * exp(wanted(it.category) / 3).coerceIn(0.01, 100.0) }
        var rest = random.fraction() * weights.sum()
        var last = 0
        weights.forEachIndexed { at, weight ->
            if (weight > 0) {
                if (rest < weight) return at
                rest -= weight
                last = at // rounding may leave a crumb
            }
        }
        return last
    }

    /** A made-up person's name: nothing here names a real one. */
    fun fakeName() = "${pick(FIRSTS)} ${pick(LASTS)}"

    /** A word that people look for. */
    fun fakeSearch() = pick(FIRSTS + LASTS).lowercase()
}

/** A small generator (sfc32) with the seed that the host gives; Kotlin's own asks the system for its first one. */
class Random internal constructor(seed: Long) {
    private var a = (seed ushr 32).toInt()
    private var b = seed.toInt()
    private var c = 0x9e3779b9.toInt()
    private var counter = 1

    init {
        repeat(12) { bits() }
    }

    private fun bits(): Int {
        val sum = a + b + counter
        counter += 1
        a = b xor (b ushr 9)
        b = c + (c shl 3)
        c = c.rotateLeft(21) + sum
        return sum
    }

    /** At least 0, less than 1. */
    fun fraction() = bits().toUInt().toDouble() / 4_294_967_296.0

    /** At least 0, less than [end]. */
    fun below(end: Int) = (fraction() * end).toInt()
}

private val FIRSTS = listOf("Ana", "Bruno", "Camila", "Daniel", "Helena", "João", "Larissa", "Rafael", "Alice", "Edward", "Grace", "Oliver")
private val LASTS = listOf("Almeida", "Carvalho", "Conceição", "Ferreira", "Lima", "Moreira", "Santos", "Baker", "Clarke", "Hughes", "Shaw")
