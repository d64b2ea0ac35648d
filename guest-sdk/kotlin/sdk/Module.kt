// The module's side of the contract: what the host calls becomes sessions, what sessions say reaches the host, laid out as
// the canonical ABI of the component model has it. Only a build for WebAssembly has it; `behavior` is the project's own.

@file:OptIn(ExperimentalWasmInterop::class, UnsafeWasmMemoryApi::class)

import kotlin.coroutines.Continuation
import kotlin.coroutines.EmptyCoroutineContext
import kotlin.coroutines.startCoroutine
import kotlin.coroutines.suspendCoroutine
import kotlin.wasm.ExperimentalWasmInterop
import kotlin.wasm.WasmExport
import kotlin.wasm.WasmImport
import kotlin.wasm.unsafe.MemoryAllocator
import kotlin.wasm.unsafe.Pointer
import kotlin.wasm.unsafe.UnsafeWasmMemoryApi
import kotlin.wasm.unsafe.withScopedMemoryAllocator
import vespeiro.Call
import vespeiro.Failure
import vespeiro.Fault
import vespeiro.Heard
import vespeiro.Host
import vespeiro.Level
import vespeiro.Reply
import vespeiro.Session
import vespeiro.Setup
import vespeiro.User

private const val HOST = "vespeiro:behavior/host@0.1.0"
private const val BEHAVIOR = "vespeiro:behavior/behavior@0.1.0"

@WasmImport(HOST, "log")
private external fun hostLog(level: Int, text: Int, size: Int)

@WasmImport(HOST, "check")
private external fun hostCheck(name: Int, size: Int, passed: Int)

@WasmImport(HOST, "observe")
private external fun hostObserve(metric: Int, size: Int, value: Double)

@WasmImport(HOST, "mark")
private external fun hostMark(thing: Int, size: Int)

@WasmImport(HOST, "unmark")
private external fun hostUnmark(thing: Int, size: Int)

@WasmImport(HOST, "feed")
private external fun hostFeed(name: Int, size: Int, into: Int)

@WasmImport("[export]$BEHAVIOR", "[resource-new]session")
private external fun newSession(handle: Int): Int

/** Memory that is ours for good, since Kotlin's own is given back at the end of a scope: what one call lays out. */
private object Room {
    private const val PAGE = 65_536
    private var own: MemoryAllocator? = null

    /** What WASI's side asks for once, its stack and its state: it does so in a call of Kotlin's library, in a scope of that. */
    private var ofWasi = 0
    private var left = 3 * PAGE

    /** Whether a journey runs, so that it is WASI's side that asks. */
    var isPlaying = false
    private var block = 0
    private var size = 0
    private var used = 0

    init {
        // A scope that waits for ever is never closed.
        suspend {
            withScopedMemoryAllocator {
                own = it
                suspendCoroutine<Unit> { }
            }
        }.startCoroutine(Continuation(EmptyCoroutineContext) { })
        ofWasi = more(left)
        grow(PAGE)
    }

    private fun more(bytes: Int) = own!!.allocate(bytes).address.toInt()

    private fun grow(bytes: Int) {
        block = more(bytes)
        size = bytes
        used = 0
    }

    /** Aligned to 8. */
    fun take(bytes: Int): Int {
        val wanted = (bytes + 7) and 7.inv()
        if (isPlaying) {
            left -= wanted
            check(left >= 0) { "WASI asks for more memory than it has" }
            return ofWasi + left
        }
        if (used + wanted > size) grow(maxOf(wanted, 2 * size))
        return (block + used).also { used += wanted }
    }

    /** All of it may be used again. */
    fun leave() {
        used = 0
    }
}

private fun pointer(at: Int) = Pointer(at.toUInt())
private fun int(at: Int) = pointer(at).loadInt()
private fun long(at: Int) = pointer(at).loadLong()
private fun byte(at: Int) = pointer(at).loadByte().toInt() and 0xff
private fun put(at: Int, value: Int) = pointer(at).storeInt(value)

private fun bytes(at: Int): ByteArray {
    val from = int(at)
    return ByteArray(int(at + 4)) { pointer(from + it).loadByte() }
}

private fun text(at: Int) = bytes(at).decodeToString()

/** The addresses of a list's elements. */
private fun elements(at: Int, size: Int) = List(int(at + 4)) { int(at) + it * size }

private fun lowered(bytes: ByteArray): Int {
    val to = Room.take(bytes.size)
    bytes.forEachIndexed { at, byte -> pointer(to + at).storeByte(byte) }
    return to
}

private fun putBytes(at: Int, bytes: ByteArray) {
    put(at, lowered(bytes))
    put(at + 4, bytes.size)
}

private fun put(at: Int, text: String) = putBytes(at, text.encodeToByteArray())

private fun <T> putAll(at: Int, items: List<T>, size: Int, each: (Int, T) -> Unit) {
    val to = blank(items.size * size)
    items.forEachIndexed { place, item -> each(to + place * size, item) }
    put(at, to)
    put(at + 4, items.size)
}

private fun blank(bytes: Int): Int {
    val to = Room.take(bytes)
    for (at in 0 until bytes step 4) put(to + at, 0)
    return to
}

@WasmExport("cabi_realloc")
internal fun realloc(old: Int, had: Int, align: Int, size: Int): Int {
    val to = Room.take(size)
    for (at in 0 until minOf(had, size)) pointer(to + at).storeByte(pointer(old + at).loadByte())
    return to
}

private object Hosted : Host {
    private inline fun say(text: String, call: (Int, Int) -> Unit) {
        Room.isPlaying = false
        val bytes = text.encodeToByteArray()
        call(lowered(bytes), bytes.size)
        Room.leave()
        Room.isPlaying = true
    }

    override fun log(level: Level, message: String) = say(message) { at, size -> hostLog(level.ordinal, at, size) }
    override fun check(name: String, passed: Boolean) = say(name) { at, size -> hostCheck(at, size, if (passed) 1 else 0) }
    override fun observe(metric: String, value: Double) = say(metric) { at, size -> hostObserve(at, size, value) }
    override fun mark(thing: String) = say(thing) { at, size -> hostMark(at, size) }
    override fun unmark(thing: String) = say(thing) { at, size -> hostUnmark(at, size) }

    override fun feed(name: String): String? {
        var row: String? = null
        say(name) { at, size ->
            val into = blank(12)
            hostFeed(at, size, into)
            if (byte(into) != 0) row = text(into + 4)
        }
        return row
    }
}

@WasmExport("$BEHAVIOR#describe")
internal fun describe(): Int {
    val into = blank(32)
    put(into, behavior.name)
    put(into + 8, behavior.version)
    putAll(into + 16, behavior.routes, 20) { at, route ->
        put(at, route.method.ordinal)
        put(at + 4, route.path)
        put(at + 12, route.category)
    }
    putAll(into + 24, behavior.categories, 8) { at, name -> put(at, name) }
    return into
}

@WasmExport("cabi_post_$BEHAVIOR#describe")
internal fun described(into: Int) = Room.leave()

/** The sessions by their handles; 0 is none. */
private val sessions = mutableListOf<Session?>(null)
private val vacant = mutableListOf<Int>()

@WasmExport("$BEHAVIOR#[constructor]session")
internal fun construct(from: Int): Int {
    val user = User(int(from), long(from + 8), text(from + 16), text(from + 24), text(from + 32), text(from + 40))
    val marks = if (byte(from + 64) == 0) null else elements(from + 68, 8).map(::text)
    val setup = Setup(user, int(from + 48), long(from + 56), marks, int(from + 76), int(from + 80), text(from + 84), text(from + 92))
    Room.leave()
    val session = Session(behavior, Hosted, setup)
    val handle = vacant.removeLastOrNull() ?: sessions.size.also { sessions.add(null) }
    sessions[handle] = session
    return newSession(handle)
}

@WasmExport("$BEHAVIOR#[dtor]session")
internal fun destroy(handle: Int) {
    sessions[handle] = null
    vacant.add(handle)
}

@WasmExport("$BEHAVIOR#[method]session.next")
internal fun next(handle: Int, elapsedMs: Long, left: Int, mix: Int, mixes: Int, faulty: Int, fault: Int, outcomes: Int, came: Int): Int {
    // A cleanup has the largest number without a sign.
    val heard = Heard(
        elapsedMs, if (left < 0) Int.MAX_VALUE else left, FloatArray(mixes) { Float.fromBits(int(mix + 4 * it)) },
        if (faulty != 0) Fault.entries[fault] else null, List(came) { reply(outcomes + 40 * it) },
    )
    Room.leave()
    Room.isPlaying = true
    val step = sessions[handle]!!.next(heard)
    Room.isPlaying = false
    val into = blank(20)
    val wrong = step.wrong
    if (wrong != null) {
        put(into, 1)
        put(into + 4, wrong)
        return into
    }
    put(into + 4, step.delayMs.toInt())
    val ending = step.ending
    if (ending != null) {
        put(into + 8, 1)
        put(into + 12, ending.ordinal)
    } else {
        putAll(into + 12, step.requests, 76, ::request)
    }
    return into
}

@WasmExport("cabi_post_$BEHAVIOR#[method]session.next")
internal fun answered(into: Int) = Room.leave()

private fun reply(at: Int): Reply {
    if (byte(at) != 0) return Reply(0, Failure.entries[byte(at + 8)])
    val headers = elements(at + 12, 16).map { text(it) to text(it + 8) }
    return Reply(int(at + 8) and 0xffff, null, bytes(at + 20), headers, long(at + 32))
}

private fun request(at: Int, call: Call) {
    put(at, call.route.method.ordinal)
    put(at + 4, call.target)
    put(at + 12, call.route.path)
    put(at + 20, call.category)
    putAll(at + 28, call.headers, 16) { pair, (name, value) ->
        put(pair, name)
        put(pair + 8, value)
    }
    call.body?.let {
        put(at + 36, 1)
        putBytes(at + 40, it)
    }
    put(at + 48, call.capture.ordinal)
    call.timeoutMs?.let {
        put(at + 52, 1)
        put(at + 56, it)
    }
    call.mark?.let {
        put(at + 60, 1)
        put(at + 64, it)
    }
    call.fault?.let { put(at + 72, 1 or (it.ordinal shl 8)) }
}
