// JSON, since Kotlin's own library has none: read as a tree that may be asked for what is not there, written from maps, lists,
// texts, numbers and booleans.

package vespeiro

private const val DEEPEST = 200

/** What was read, or a part of it. A part that is not there is null; to ask for it as something else ends the session. */
class Json internal constructor(val value: Any?, private val where: String) {
    operator fun get(name: String) = Json((value as? Map<*, *>)?.get(name), "$where: `$name`")

    operator fun get(at: Int) = Json((value as? List<*>)?.getOrNull(at), "$where: item $at")

    /** The items of a list; none when it is something else. */
    val items get() = (value as? List<*>).orEmpty().mapIndexed { at, item -> Json(item, "$where: item $at") }

    val textOrNull get() = value as? String
    val numberOrNull get() = value as? Double

    /** The text; the person gives up where it is something else, and the log says so. */
    val text get() = textOrNull ?: throw GaveUp("$where is no text")

    /** The number, likewise. */
    val number get() = numberOrNull ?: throw GaveUp("$where is no number")

    companion object {
        /** @throws IllegalArgumentException with what is wrong and where. */
        fun read(text: String, where: String = "JSON") = Json(JsonReader(text).whole(), where)

        fun write(value: Any?): String = StringBuilder().also { append(it, value) }.toString()

        private fun append(to: StringBuilder, value: Any?) {
            when (value) {
                null, is Boolean, is Number -> to.append(value.toString())
                is Map<*, *> -> inside(to, '{', value.entries, '}') { (name, held) ->
                    quote(to, name.toString())
                    append(to.append(':'), held)
                }
                is Iterable<*> -> inside(to, '[', value, ']') { append(to, it) }
                is Json -> append(to, value.value)
                else -> quote(to, value.toString())
            }
        }

        private fun <T> inside(to: StringBuilder, open: Char, all: Iterable<T>, close: Char, each: (T) -> Unit) {
            to.append(open)
            all.forEachIndexed { at, one ->
                if (at > 0) to.append(',')
                each(one)
            }
            to.append(close)
        }

        private fun quote(to: StringBuilder, text: String) {
            to.append('"')
            for (char in text) {
                when {
                    char == '"' || char == '\\' -> to.append('\\').append(char)
                    char < ' ' -> to.append("\\u").append(char.code.toString(16).padStart(4, '0'))
                    else -> to.append(char)
                }
            }
            to.append('"')
        }
    }
}

private class JsonReader(private val text: String) {
    private var at = 0

    fun whole(): Any? {
        val read = value(0)
        if (peek() != null) wrong("something follows")
        return read
    }

    private fun wrong(what: String): Nothing = throw IllegalArgumentException("$what at character ${at + 1}")

    private fun peek(): Char? {
        while (at < text.length) {
            val char = text[at]
            if (char > ' ' || char != ' ' && char != '\t' && char != '\r' && char != '\n') return char
            at += 1
        }
        return null
    }

    private fun take(wanted: Char) {
        if (peek() != wanted) wrong("no `$wanted`")
        at += 1
    }

    private fun value(depth: Int): Any? {
        if (depth > DEEPEST) wrong("too deep")
        return when (peek()) {
            '{' -> mutableMapOf<String, Any?>().also { map ->
                each('{', '}') {
                    if (peek() != '"') wrong("no name")
                    val name = string()
                    take(':')
                    map[name] = value(depth + 1)
                }
            }
            '[' -> mutableListOf<Any?>().also { list -> each('[', ']') { list.add(value(depth + 1)) } }
            '"' -> string()
            't' -> word("true", true)
            'f' -> word("false", false)
            'n' -> word("null", null)
            else -> number()
        }
    }

    private fun each(open: Char, close: Char, one: () -> Unit) {
        take(open)
        if (peek() == close) {
            at += 1
            return
        }
        one()
        while (peek() == ',') {
            at += 1
            one()
        }
        take(close)
    }

    private fun <T> word(word: String, means: T): T {
        if (!text.startsWith(word, at)) wrong("no value")
        at += word.length
        return means
    }

    private fun number(): Double {
        val from = at
        while (at < text.length && (text[at] in '0'..'9' || text[at] in "+-.eE")) at += 1
        return text.substring(from, at).toDoubleOrNull() ?: wrong("no value")
    }

    private fun string(): String {
        var from = ++at
        var before: StringBuilder? = null // what lies before the last escape, where there is one
        while (true) {
            val char = if (at < text.length) text[at++] else wrong("no end of the text")
            if (char == '"') {
                val last = text.substring(from, at - 1)
                return before?.append(last)?.toString() ?: last
            }
            if (char == '\\') {
                val built = before ?: StringBuilder()
                before = built.append(text, from, at - 1).append(escaped())
                from = at
            }
        }
    }

    private fun escaped(): Char {
        val char = text.getOrNull(at) ?: wrong("no end of the text")
        at += 1
        return when (char) {
            'n' -> '\n'
            't' -> '\t'
            'r' -> '\r'
            'b' -> '\b'
            'f' -> '\u000c'
            'u' -> {
                at += 4
                text.substring((at - 4).coerceAtMost(text.length), at.coerceAtMost(text.length)).toIntOrNull(16)?.toChar() ?: wrong("no character")
            }
            '"', '\\', '/' -> char
            else -> wrong("no escape")
        }
    }
}
