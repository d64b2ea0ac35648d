// The executor: one session, whose journey is a coroutine that gives a step where it sends something and goes on with the
// replies. Module.kt calls it, and Harness.kt.

package vespeiro

import kotlin.coroutines.Continuation
import kotlin.coroutines.EmptyCoroutineContext
import kotlin.coroutines.resume
import kotlin.coroutines.startCoroutine
import kotlin.coroutines.suspendCoroutine

/**
 * What a module is. [login], [refresh] and [logout] are where tokens log in, are renewed and log out; [loginName] is what
 * the login calls the account's name. [cleanup] removes what `me.marks` names.
 */
class Behavior(
    val name: String,
    val version: String,
    val routes: List<Route>,
    val login: Route? = null,
    val refresh: Route? = null,
    val logout: Route? = null,
    val loginName: String = "email",
    val cleanup: (suspend (Me) -> Unit)? = null,
    val journey: suspend (Me) -> Unit,
) {
    val categories = routes.map { it.category }.distinct()
}

internal interface Host {
    fun log(level: Level, message: String)
    fun check(name: String, passed: Boolean)
    fun observe(metric: String, value: Double)
    fun mark(thing: String)
    fun unmark(thing: String)
    fun feed(name: String): String?
}

/** What the host begins a session with; with [marks] it is a cleanup. */
internal class Setup(
    val user: User,
    val ordinal: Int,
    val seed: Long,
    val marks: List<String>?,
    val delayMinMs: Int,
    val delayMaxMs: Int,
    val run: String,
    val config: String,
)

internal class Heard(val elapsedMs: Long, val requestsLeft: Int, val mix: FloatArray, val fault: Fault?, val outcomes: List<Reply>)

internal enum class Ending { COMPLETED, ABANDONED }

/** Requests to send, or an ending, or what is wrong. */
internal class Step(val requests: List<Call>, val ending: Ending? = null, val wrong: String? = null) {
    var delayMs = 0L
}

internal class Session(val behavior: Behavior, val host: Host, setup: Setup) {
    private val me = Me(this, setup)
    private val journey = if (setup.marks != null) behavior.cleanup else behavior.journey
    private var begun = false
    private var sent = emptyList<Call>()
    private var said: Step? = null
    private var going: Continuation<List<Reply>>? = null
    private var over = false
    var delayMs = 0L

    /** The step that follows, given what came of the requests of the last one. */
    fun next(heard: Heard): Step {
        if (over) return Step(emptyList(), wrong = "the session is over")
        if (heard.outcomes.size != sent.size) {
            over = true
            return Step(emptyList(), wrong = "another number of outcomes came than requests went")
        }
        me.elapsedMs = heard.elapsedMs
        me.requestsLeft = heard.requestsLeft
        me.mix = heard.mix
        me.fault = heard.fault
        delayMs = 0
        said = null
        resume(heard.outcomes)
        val step = said ?: Step(emptyList(), wrong = "the journey waits for something that is not the host's")
        step.delayMs = delayMs
        sent = step.requests
        over = step.ending != null || step.wrong != null
        return step
    }

    private fun resume(outcomes: List<Reply>) {
        val waits = going
        going = null
        if (waits != null) return waits.resume(outcomes)
        if (begun) return
        begun = true
        val last = Continuation<Step>(EmptyCoroutineContext) { said = it.getOrThrow() }
        suspend { play() }.startCoroutine(last)
    }

    /** The journey to its end; what it says then is the last step. */
    private suspend fun play(): Step = try {
        journey?.invoke(me) // no cleanup: nothing to remove
        Step(emptyList(), Ending.COMPLETED)
    } catch (cause: GaveUp) {
        cause.said?.let { host.log(Level.WARN, it) }
        Step(emptyList(), Ending.ABANDONED)
    } catch (cause: Wrong) {
        Step(emptyList(), wrong = cause.message)
    } catch (cause: Throwable) {
        Step(emptyList(), wrong = "behavior: $cause")
    }

    /** Sends calls as they are and waits for their replies. It does not return when the budget is spent. */
    suspend fun exchange(calls: List<Call>): List<Reply> {
        val leaves = calls.take(me.requestsLeft)
        if (leaves.isEmpty() && calls.isNotEmpty()) throw GaveUp(null)
        me.requestsLeft -= leaves.size
        val replies = suspendCoroutine { waits ->
            going = waits
            said = Step(leaves)
        }
        replies.forEachIndexed { at, reply -> reply.route = leaves[at].route }
        if (leaves.size < calls.size || replies.any { it.failure == Failure.STOPPED }) throw GaveUp(null)
        return replies
    }
}
