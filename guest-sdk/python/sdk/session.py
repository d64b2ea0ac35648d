"""The executor: turns a journey into steps. The module and the harness call `next`; one turn gathers all the requests
that the journey wants to send at this point into one step, and pauses only advance a virtual clock until a request
follows, so a pause and the requests behind it cost one call.

What must stay true: every request and operation handed out gets exactly its own outcome, in the next call.
"""

import json as json_module

from .bodies import body_of, multipart_of
from .calls import Call, Opening, Together
from .channel import Channel, Operation
from .codes import number_of
from .errors import Failed, GaveUp, Refused, UnexpectedBody, UnexpectedStatus, UsageError
from .me import Me
from .pauses import MAX_DELAY_MS, Pause
from .reply import Reply
from .rng import Rng
from .routes import query_of
from .tokens import Turn

#: After so many pauses without a request the host gets the word, so that a journey of empty pauses cannot spin.
MAX_TURNS = 64
#: The folder of these files, which no place in a journey is in.
#: Where lines are not the author's: this SDK, and the standard library.
SDK = __file__.rpartition("/")[0]
LIBRARY = json_module.__file__.rpartition("/json/")[0]
CAPTURES = ("body", "headers", "all", "nothing")


class Setup:
    """All that a session is told when it begins; `purpose` is `journey`, `cleanup`, `prepare` or `teardown`."""

    __slots__ = ("user", "ordinal", "seed", "purpose", "marks", "pace", "run", "config")

    def __init__(self, user, ordinal, seed, purpose, marks, pace, run, config):
        self.user = user
        self.ordinal = ordinal
        self.seed = seed
        self.purpose = purpose
        self.marks = marks
        self.pace = pace
        self.run = run
        self.config = config


class Sent:
    """One request, as the host gets it, and in words: `place` and `other_category` are places in the description, `protocol`
    what is to be spoken over the channel that it opens, if it is to open one."""

    __slots__ = (
        "method", "path", "route", "category", "headers", "body", "capture", "timeout_ms", "mark", "fault", "expect", "place",
        "other_category", "protocol",
    )  # fmt: skip

    def __init__(self, method, path, route, category, headers, body, capture, timeout_ms, mark, fault, expect, place,
                 other_category, protocol):  # fmt: skip
        self.method = method
        self.path = path
        self.route = route
        self.category = category
        self.headers = headers
        self.body = body
        self.capture = capture
        self.timeout_ms = timeout_ms
        self.mark = mark
        self.fault = fault
        self.expect = expect
        self.place = place
        self.other_category = other_category
        self.protocol = protocol


class Task:
    """One line of a journey: the generators it is in, and the group that waits for its end."""

    __slots__ = ("stack", "group", "index")

    def __init__(self, steps, group, index):
        self.stack = [steps]
        self.group = group
        self.index = index


class Group:
    __slots__ = ("task", "open", "results", "error")

    def __init__(self, task, size):
        self.task = task
        self.open = size
        self.results = [None] * size
        self.error = None


class Session:
    __slots__ = (
        "behavior", "host", "config", "pace", "rng", "clock", "left", "mix", "fault",
        "_ready", "_outbox", "_waiting", "_pauses", "_spent", "_over", "_ended", "_error",
    )  # fmt: skip

    def __init__(self, behavior, setup, host):
        self.behavior = behavior
        self.host = host
        self.config = setup.config
        self.pace = setup.pace
        self.rng = Rng(setup.seed)
        #: Milliseconds since the session began, the pauses of this step included.
        self.clock = 0
        self.left = 0
        self.mix = ()
        self.fault = None
        #: What can go on at once: a task, a value, an error.
        self._ready = []
        #: The requests of this step, and who waits for each.
        self._outbox = []
        self._waiting = []
        self._pauses = []
        #: Set once nothing more may be sent.
        self._spent = False
        self._over = False
        self._ended = False
        self._error = None
        start = behavior.starts[setup.purpose]
        if start is None:
            self._ended = True  # nothing to remove, or to prepare
        else:
            self._ready.append((Task(start(Me(self, setup)), None, 0), None, None))

    def next(self, elapsed_ms, left, mix, fault, outcomes):
        """Given what came of the requests of the last step (a `(status, headers, body, latency_us, grpc)` or the word of a
        failure for each; `Opened`, `Received` or None of what was done with channels), what next? Gives the delay, and a list of
        requests and operations or the word of an ending; raises `Refused` with the message of an error of the behavior."""
        if self._over:
            raise Refused("the session is over")
        self._over = True  # unless it goes well
        self.clock = elapsed_ms
        self.left = left
        self.mix = mix
        self.fault = fault
        self._hear(outcomes)
        delay_ms, action = self._drive()
        self._over = isinstance(action, str)
        return delay_ms, action

    def release(self, tokens):
        """The next in the holder's queue may renew."""
        tokens.busy = bool(tokens.queue)
        if tokens.queue:
            self._ready.append((tokens.queue.pop(0), None, None))

    def _hear(self, outcomes):
        waiting, self._waiting = self._waiting, []
        if len(outcomes) != len(waiting):
            raise Refused(f"{len(outcomes)} outcomes came for {len(waiting)} requests and operations")
        for (task, line, capture, channel), outcome in zip(waiting, outcomes):
            if isinstance(outcome, tuple):
                self._ready.append((task, Reply(line, capture, *outcome), None))
            elif not isinstance(outcome, str):
                came = Channel(line, outcome) if channel is None else channel.take(outcome)
                self._ready.append((task, came, None))
            elif outcome == "stopped":
                self._spent = True
            else:
                self._ready.append((task, None, Failed(line, outcome)))
        self._wake_pauses()

    def _drive(self):
        began = self.clock
        turns = 0
        while True:
            ready = self._ready
            while ready:
                now, self._ready = ready, []
                for task, value, error in now:
                    self._resume(task, value, error)
                ready = self._ready
            delay_ms = self.clock - began
            if self._ended:
                return delay_ms, self._ending()
            if self._outbox:
                requests, self._outbox = self._outbox, []
                return delay_ms, requests
            if self._spent:
                return delay_ms, "abandoned"
            if not self._pauses:
                raise Refused("the journey waits for something that is neither a request nor a pause")
            turns += 1
            longer = max(min(until for until, _ in self._pauses), self.clock) - began
            if turns > MAX_TURNS or (delay_ms > 0 and longer > MAX_DELAY_MS):
                return delay_ms, []
            self.clock = began + longer
            self._wake_pauses()

    def _wake_pauses(self):
        if self._pauses:
            pauses, self._pauses = self._pauses, []
            for until, task in pauses:
                if until <= self.clock:
                    self._ready.append((task, None, None))
                else:
                    self._pauses.append((until, task))

    def _resume(self, task, value, error):
        """Run a task until it waits for something or ends."""
        stack = task.stack
        while True:
            try:
                wanted = stack[-1].send(value) if error is None else stack[-1].throw(error)
            except StopIteration as end:
                value, error = end.value, None
            except Exception as raised:  # whatever it is, the generator below may know what to do
                value, error = None, raised
            else:
                value = error = None
                try:
                    if self._waits(task, wanted):
                        return
                except Exception as raised:  # what was yielded is wrong: the journey hears of it where it yielded
                    error = raised
                continue
            stack.pop()
            if not stack:
                self._finish(task, value, error)
                return

    def _waits(self, task, wanted):
        """Take up what a task yielded; False when it can go on at once."""
        if isinstance(wanted, Call):
            bearer = wanted.options.get("bearer")
            if bearer is None or isinstance(bearer, str):
                self._post(task, wanted)
                return True
            task.stack.append(bearer.authorized(wanted))
            return False
        if isinstance(wanted, Opening):
            task.stack.append(_opening(wanted.call))
            return False
        if isinstance(wanted, Operation):
            return self._use(task, wanted)
        if isinstance(wanted, Pause):
            self._pauses.append((self.clock + wanted.length(self.pace, self.rng), task))
            return True
        if isinstance(wanted, Together):
            if not wanted.items:
                task.stack.append(_nothing())
                return False
            group = Group(task, len(wanted.items))
            for index, item in enumerate(wanted.items):
                steps = item if hasattr(item, "send") else _just(item)
                self._ready.append((Task(steps, group, index), None, None))
            return True
        if isinstance(wanted, Turn):
            if wanted.tokens.busy:
                wanted.tokens.queue.append(task)
                return True
            wanted.tokens.busy = True
            return False
        if hasattr(wanted, "send"):
            task.stack.append(wanted)
            return False
        raise UsageError("a journey yields requests, pauses, all_of([…]) or generators, and nothing else")

    def _use(self, task, operation):
        """Do something with a channel; False when there is nothing to wait for."""
        channel = operation.channel
        if channel.closed:
            raise UsageError(f"{channel.line}: {operation.what}: the channel is closed")
        if operation.what == "receive" and channel.ended:
            task.stack.append(_nothing())
            return False
        channel.closed = operation.what == "close"
        self._waiting.append((task, channel.line, None, channel))
        self._outbox.append(operation)
        return True

    def _finish(self, task, value, error):
        group = task.group
        if group is None:
            self._ended, self._error = True, error
            return
        group.results[task.index] = value
        if error is not None and group.error is None:
            group.error = error
        group.open -= 1
        if group.open == 0:
            self._ready.append((group.task, group.results, group.error))

    def _post(self, task, call):
        route = self.behavior.table.get(call.line)
        if route is None:
            raise UsageError(f"{call.line} is not among the behavior's routes: declare it there")
        option = call.options.get
        capture = option("capture", "body")
        if capture not in CAPTURES:
            raise UsageError(f"{call.line}: capture is body, headers, all or nothing, and not {capture}")
        if self.left == 0:
            self._spent = True  # and the task never goes on
            return
        headers = [(name, str(value)) for name, value in option("headers", {}).items()]
        if (bearer := option("bearer")) is not None:
            headers.append(("authorization", f"Bearer {bearer}"))
        if "json" in call.options:
            headers.append(("content-type", "application/json"))
            body = json_module.dumps(call.options["json"], separators=(",", ":")).encode()
        elif "form" in call.options:
            headers.append(("content-type", "application/x-www-form-urlencoded"))
            body = query_of(call.options["form"])[1:].encode()
        elif "multipart" in call.options:
            body, content_type = multipart_of(call.line, call.options["multipart"], self.rng.bits())
            headers.append(("content-type", content_type))
        else:
            body = body_of(call.line, option("body"))
        path = call.options["path"] if "path" in call.options else route.fill(call.args)
        if "query" in call.options:
            query = query_of(call.options["query"])
            path += query.replace("?", "&", 1) if "?" in path else query  # a link may have one already
        category, categories = option("category"), self.behavior.categories
        if category is not None and category not in categories:
            raise UsageError(f"{call.line}: no route declares the category `{category}`")
        self.left -= 1
        self._waiting.append((task, call.line, capture, None))
        self._outbox.append(
            Sent(route.method, path, route.label, category or route.category, headers, body, capture, option("timeout_ms"),
                 option("mark"), option("fault"), _errors_of(call.line, route, option("expect", ())), route.place,
                 None if category is None else categories.index(category), call.protocol)
        )  # fmt: skip

    def _ending(self):
        error = self._error
        if error is None:
            return "completed"
        if not isinstance(error, GaveUp):
            place = _place(error.__traceback__)
            raise Refused(f"behavior: {type(error).__name__}: {error}" + (f" at {place}" if place else ""))
        self.host.abandoned(str(error) or "gave up", _place(error.__traceback__))
        if isinstance(error, UnexpectedBody):
            self.host.log("warn", str(error))
        return "abandoned"


def _opening(call):
    """The channel that a request opens; the person gives up where the answer opens none."""
    came = yield call
    if isinstance(came, Reply):
        raise UnexpectedStatus(came.line, came.status)
    return came


def _errors_of(line, route, expect):
    """Of the statuses that a request expects, or the codes of a gRPC call, those that would be errors."""
    if route.method == "GRPC":
        numbers = [number_of(line, name) for name in ([expect] if isinstance(expect, str) else expect)]
        return [number for number in numbers if number > 0]
    statuses = [expect] if isinstance(expect, int) else list(expect)
    for status in statuses:
        if not isinstance(status, int) or not 100 <= status <= 599:
            raise UsageError(f"{line}: expect is a status or a list of them, and not {status!r}")
    return [status for status in statuses if status >= 400]


def _place(trace):
    """The author's line that an error comes from: `behavior.py:12`; None where it is none of theirs."""
    place = None
    while trace is not None:
        folder, _, name = trace.tb_frame.f_code.co_filename.rpartition("/")
        if folder != SDK and not folder.startswith(LIBRARY):
            place = f"{name}:{trace.tb_lineno}"
        trace = trace.tb_next
    return place


def _just(wanted):
    return (yield wanted)


def _nothing():
    return []
    yield
