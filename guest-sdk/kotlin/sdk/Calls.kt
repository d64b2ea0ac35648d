// Routes, and what a journey sends to them. These only describe; the executor in Session.kt acts on them.

package vespeiro

enum class Method { GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS }

/** The wrong request that the host asks for. */
enum class Fault { BAD_CREDENTIALS, FORBIDDEN, INVALID_DATA, NOT_FOUND, RATE_LIMIT }

/** Why there is no response. */
enum class Failure { TIMEOUT, CONNECT, TLS, RESET, PROTOCOL, TOO_LARGE, CIRCUIT_OPEN, STOPPED }

/** What to see of a response. */
enum class Capture { NOTHING, HEADERS, BODY, EVERYTHING }

/** One method and path that a behavior may use, and the category of its requests. */
class Route(val method: Method, val path: String, val category: String) {
    /**
     * A request to it. [arguments] fill the path's placeholders, in order. [json] is anything that `Json.write` takes, [body]
     * is sent as it is. With [bearer] goes that account's token, which is got first, renewed before it expires, and got anew
     * after a 401. [mark] is what this creates, `<kind>:<name>`: the host notes it before the request leaves. [fault] says
     * that it is wrong on purpose.
     */
    operator fun invoke(
        vararg arguments: Any,
        query: List<Pair<String, Any>> = emptyList(),
        headers: List<Pair<String, String>> = emptyList(),
        json: Any? = null,
        body: ByteArray? = null,
        bearer: Tokens? = null,
        capture: Capture = Capture.BODY,
        mark: String? = null,
        fault: Fault? = null,
        category: String = this.category,
        timeoutMs: Int? = null,
    ): Call {
        val sent = if (json == null) headers else headers + ("content-type" to "application/json")
        val bytes = if (json == null) body else Json.write(json).encodeToByteArray()
        return Call(this, target(arguments, query), sent, bytes, bearer, capture, mark, fault, category, timeoutMs)
    }

    private fun target(arguments: Array<out Any>, query: List<Pair<String, Any>>): String = buildString {
        val given = arguments.iterator()
        var at = 0
        while (true) {
            val open = path.indexOf('{', at)
            val end = path.indexOf('}', open + 1)
            if (open < 0 || end < 0) break
            val text = if (given.hasNext()) given.next().toString() else ""
            if (text.isEmpty()) throw Wrong("$method $path lacks an argument for ${path.substring(open, end + 1)}")
            append(path, at, open).append(percentEncoded(text))
            at = end + 1
        }
        if (given.hasNext()) throw Wrong("$method $path has fewer placeholders than the ${arguments.size} arguments that were given")
        append(path, at, path.length)
        query.forEachIndexed { place, (name, value) ->
            append(if (place == 0) '?' else '&').append(percentEncoded(name)).append('=').append(percentEncoded(value.toString()))
        }
    }

    override fun toString() = "$method $path"
}

private fun percentEncoded(text: String) = buildString {
    for (byte in text.encodeToByteArray()) {
        val char = byte.toInt().toChar()
        val isPlain = char in 'a'..'z' || char in 'A'..'Z' || char in '0'..'9' || char in "-._~"
        if (isPlain) append(char) else append('%').append((byte.toInt() and 0xff).toString(16).uppercase().padStart(2, '0'))
    }
}

/** One request. */
class Call internal constructor(
    val route: Route,
    val target: String,
    val headers: List<Pair<String, String>>,
    val body: ByteArray?,
    internal val bearer: Tokens?,
    val capture: Capture,
    val mark: String?,
    val fault: Fault?,
    val category: String,
    val timeoutMs: Int?,
) {
    internal fun signed() = if (bearer == null) this else Call(
        route, target, headers + ("authorization" to bearer.bearer.orEmpty()), body, null, capture, mark, fault, category, timeoutMs,
    )
}

/** What one request brought back. [status] is 0 when there was no response, for [failure]. */
class Reply internal constructor(
    val status: Int,
    val failure: Failure? = null,
    val body: ByteArray = ByteArray(0),
    val headers: List<Pair<String, String>> = emptyList(),
    val latencyUs: Long = 0,
) {
    internal var route: Route? = null

    /** Whether the status is 2xx. */
    val ok get() = status in 200..299

    /** Goes on only with one of these statuses, or without any given, with a 2xx; otherwise the person gives up. */
    fun expect(vararg statuses: Int): Reply {
        if (if (statuses.isEmpty()) ok else status in statuses) return this
        throw GaveUp(null)
    }

    /** The body; the person gives up when it is something else, and the log says so. */
    fun json(): Json = try {
        Json.read(body.decodeToString(), "$route: unexpected body")
    } catch (cause: IllegalArgumentException) {
        throw GaveUp("$route: unexpected body: ${cause.message}")
    }

    /** The first value of a captured header; the name in lower case. */
    fun header(name: String) = headers.firstOrNull { it.first == name }?.second
}

/** The person gives up; what is said goes to the log. */
internal class GaveUp(val said: String?) : Exception(said)

/** The behavior itself is wrong. */
internal class Wrong(message: String) : Exception(message)
