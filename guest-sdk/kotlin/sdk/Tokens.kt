// The token holder: logs in, keeps an account's token fresh, logs out. Me.tokens makes one for each account; Me.attempt asks
// it before each request that names it.

package vespeiro

/** A token is renewed when a fifth of its life is left, but no earlier than this before its end. */
private const val MARGIN_MS = 30_000.0

/** What the mark of a token begins with; behind it, what logging out takes. The host knows it for a secret. */
private const val TOKEN_MARK = "token:"

/** Marked tokens that are logged out at a time. */
private const val AT_ONCE = 8

class Tokens internal constructor(private val me: Me, private val name: String, private val password: String) {
    internal var bearer: String? = null
        private set
    private var again: String? = null
    private var dueMs = Double.MAX_VALUE
    private var isLasting = false

    /**
     * Says that the account is none of the run's, such as an administrator's: it outlives the run, and so would its tokens.
     * They are marked while they live, and cleanup logs out ([logOutMarked]) what a session that was cut could not.
     */
    fun lasting() = also { isLasting = me.behavior.logout != null }

    /** Whether there is a token, valid or not. */
    val isLoggedIn get() = bearer != null

    /** Gets a token now; the reply is the target's answer. */
    suspend fun logIn() = granted().also { take(it) } // what was had before lives on beside it

    /** Says so to the target and forgets the token; nothing is sent when not logged in. */
    suspend fun logOut() {
        val had = bearer
        val logout = me.behavior.logout
        forget()
        if (had == null || logout == null) return
        val reply = me.send(goodbye(logout, had))
        if (reply.isOut) unmark(had)
        reply.expect()
    }

    /** Forgets the token without a word to the target. */
    fun forget() {
        bearer = null
        again = null
    }

    internal val isDue get() = bearer == null || me.elapsedMs >= dueMs

    internal suspend fun renew() {
        val refresh = me.behavior.refresh
        val token = again
        again = null // it rotates: never twice
        if (refresh != null && token != null) {
            val reply = me.send(refresh(json = mapOf("refresh_token" to token)))
            if (reply.ok) return unmark(take(reply))
        }
        logInAnew()
    }

    /** Log in for a token that is worth nothing any more. */
    internal suspend fun logInAnew() = unmark(take(granted()))

    private suspend fun granted(): Reply {
        val login = me.behavior.login ?: me.fail("tokens need the behavior's login route")
        return me.send(login(json = mapOf(me.behavior.loginName to name, "password" to password))).expect()
    }

    /** Hold the token that the reply grants; gives back the one before. */
    private fun take(reply: Reply): String? {
        val answer = reply.json()
        val grant = if (answer["data"].value is Map<*, *>) answer["data"] else answer
        val before = bearer
        bearer = "Bearer ${grant["access_token"].text}"
        again = grant["refresh_token"].textOrNull
        val life = grant["expires_in"].numberOrNull?.times(1000)
        dueMs = if (life == null) Double.MAX_VALUE else me.elapsedMs + life - minOf(life / 5, MARGIN_MS)
        if (isLasting) me.mark("$TOKEN_MARK$bearer")
        return before
    }

    /** This token is worth nothing any more, unless it was granted anew: within a second some targets sign the same one. */
    private fun unmark(token: String?) {
        if (isLasting && token != null && token != bearer) me.unmark("$TOKEN_MARK$token")
    }
}

/**
 * For a cleanup: logs out the tokens among the marks, which lasting ones could not, and gives the other marks. A token keeps
 * its mark where the target does not let it go.
 */
suspend fun Me.logOutMarked(): List<String> {
    val (tokens, others) = marks.partition { it.startsWith(TOKEN_MARK) }
    val logout = behavior.logout ?: return others
    for (some in tokens.chunked(AT_ONCE)) {
        val replies = attempt(*some.map { goodbye(logout, it.removePrefix(TOKEN_MARK)) }.toTypedArray())
        some.zip(replies) { mark, reply ->
            when {
                reply.isOut -> unmark(mark)
                reply.failure != null -> log(Level.WARN, "cleanup: a token stays: no response")
                // No news of the token: it is still marked, so it has its turn again.
                reply.status == 429 -> log(Level.DEBUG, "cleanup: a token stays: status 429")
                else -> log(Level.WARN, "cleanup: a token stays: status ${reply.status}")
            }
        }
    }
    return others
}

/** Whether a logout's answer means that the token is worth nothing any more: one that is refused is as good as gone. */
private val Reply.isOut get() = ok || status == 401

private fun goodbye(logout: Route, bearer: String) = logout(headers = listOf("authorization" to bearer), capture = Capture.NOTHING)
