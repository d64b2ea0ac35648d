"""The test harness: plays a behavior in Python as it is here, against scripted replies, so that an author tests a journey
without a network. It runs the executor that the module runs, and refuses what the host would refuse.
"""

import json

from .bodies import shown
from .channel import Opened, Operation, Received
from .codes import number_of, status_of
from .errors import Refused
from .session import Session, Setup

MAX_STEPS = 100_000
MAX_DELAY_MS = 3_600_000
LATENCY_MS = 1
MAX_NOTES = 4096


class User:
    """The identity that the host would make."""

    def __init__(self, index):
        self.index = index
        self.seed = index
        self.username = f"sim_user_testrun0_{index}"
        self.email = f"{self.username}@simulation.test"
        self.password = "SimPass123!"
        self.name = f"Simulated User {index}"


class Played:
    """What a harness has seen."""

    def __init__(self):
        #: `completed` or `abandoned`; None when the session failed, broke the contract or met no scripted reply.
        self.ending = None
        #: Why there is no ending.
        self.error = None
        #: Pairs of a delay in milliseconds and a list of requests or an ending.
        self.steps = []
        self.requests = []
        #: What was sent over channels: pairs of a route, and a text or bytes.
        self.messages = []
        #: Pairs of a name and whether it held, and so on, in order.
        self.checks = []
        self.observed = []
        #: Pairs of a name and whether it passed, which is None of those that are open.
        self.transactions = []
        #: Why the person gave up: a reason, and a place or None.
        self.gave_up = None
        #: What the user remembers, and what was shared, by this session or before it.
        self.remembered = None
        self.shared = None
        self.marks = []
        self.unmarks = []
        self.logs = []
        self.elapsed_ms = 0

    @property
    def paths(self):
        """The path of every request."""
        return [request.path for request in self.requests]

    @property
    def routes(self):
        """Method and template of every request."""
        return [f"{request.method} {request.route}" for request in self.requests]

    @property
    def left_behind(self):
        """Every mark, of requests and outside of them, that was not taken back."""
        marks = [request.mark for request in self.requests if request.mark is not None] + self.marks
        return [mark for mark in marks if mark not in self.unmarks]

    def body(self, at):
        """The JSON body of a request."""
        return json.loads(self.requests[at].body or b"null")


class Recorder:
    """The host's side of a played session."""

    def __init__(self, played, feeds, secrets):
        self.played = played
        self.secret = secrets.get
        self.feeds = {name: list(rows) for name, rows in feeds.items()}
        self.log = lambda level, message: played.logs.append((level, message))
        self.check = lambda name, passed: played.checks.append((name, passed))
        self.observe = lambda metric, value: played.observed.append((metric, value))
        self.mark = played.marks.append
        self.unmark = played.unmarks.append

    def begin(self, name):
        if self._open(name) is not None:
            raise Refused(f"the transaction {name} is open already")
        self.played.transactions.append((name, None))

    def end(self, name, passed):
        at = self._open(name)
        if at is None:
            raise Refused(f"the transaction {name} is not open")
        self.played.transactions[at] = (name, passed)

    def _open(self, name):
        known = self.played.transactions
        return known.index((name, None)) if (name, None) in known else None

    def abandoned(self, reason, place):
        self.played.gave_up = (reason, place)

    def remember(self, notes):
        if len(notes.encode()) > MAX_NOTES:
            raise Refused(f"notes of {len(notes.encode())} bytes are over the {MAX_NOTES} that are allowed")
        self.played.remembered = json.loads(notes)

    def remembered(self):
        return None if self.played.remembered is None else json.dumps(self.played.remembered)

    def share(self, value):
        self.played.shared = json.loads(value)

    def shared(self):
        return None if self.played.shared is None else json.dumps(self.played.shared)

    def feed(self, name):
        rows = self.feeds.get(name)
        if not rows:
            return None
        rows.append(rows.pop(0))
        return json.dumps(rows[-1])


def in_turn(*replies):
    """Replies one after the other; the last one stays."""
    left = list(replies)

    def answer(request):
        return _answer(left.pop(0) if len(left) > 1 else left[0], request)

    return answer


def play(behavior, replies=(), *, otherwise=None, seed=1, user=0, ordinal=0, config=None, pace=(100, 2000), budget=1000,
         wanted=None, faults=(), cleanup=None, feeds=None, secrets=None, remembered=None, shared=None, once=None,
         messages=None):  # fmt: skip
    """Play one session to its end. `replies` by route (`"GET /users/{id}": (200, {…})`): a status, a pair of status and
    JSON body, the word of a failure, or a function of the request that gives one of these, of a gRPC method the bytes of a message, or
    a pair of a code and the target's words; `otherwise` answers all other routes; `wanted` are points by category; `cleanup` are the marks of a cleanup, `feeds` rows by name, `secrets` values by
    name, `remembered` the user's notes, `shared` what the run was prepared with; `once` (`prepare` or `teardown`) plays that instead.
    `messages` by route are lists of texts that come over the channel that it opens; without one, a WebSocket opens with the status
    101 and says back what it is told, a stream with 200 and says nothing."""
    played = Played()
    played.remembered, played.shared = remembered, shared
    purpose = once or ("journey" if cleanup is None else "cleanup")
    setup = Setup(User(user), ordinal, seed, purpose, list(cleanup or ()), pace, "testrun0", json.dumps(config or {}))
    mix = [float((wanted or {}).get(name, 0)) for name in behavior.categories] if wanted else []
    try:
        session = Session(behavior, setup, Recorder(played, feeds or {}, secrets or {}))
        played.ending = _run(session, behavior, dict(replies), otherwise, list(faults), mix, budget, played,
                             Channels(messages or {}, played))  # fmt: skip
    except Refused as refused:
        played.error = str(refused)
    return played


def _run(session, behavior, replies, otherwise, faults, mix, budget, played, channels):
    outcomes = []
    for _ in range(MAX_STEPS):
        fault = faults[0] if faults else None
        delay_ms, action = session.next(played.elapsed_ms, budget, mix, fault, outcomes)
        played.steps.append((delay_ms, action))
        if delay_ms > MAX_DELAY_MS:
            raise Refused(f"a pause of {delay_ms} ms is longer than an hour")
        played.elapsed_ms += delay_ms
        if isinstance(action, str):
            return action
        outcomes = []
        sent = 0
        for request in action:
            if isinstance(request, Operation):
                outcomes.append(channels.carry_out(request))
                continue
            sent += 1
            request.body = shown(request.body)
            _check(request)
            if faults and request.fault == faults[0]:
                faults.pop(0)
            played.requests.append(request)
            default = 200 if f"{request.method} {request.route}" in channels.scripts else otherwise
            outcomes.append(channels.opened(request, _outcome(request, replies, default)))
        budget -= sent
        played.elapsed_ms += (LATENCY_MS if sent else 0) + channels.waited()
    raise Refused(f"no end after {MAX_STEPS} steps")


class Channels:
    """The channels of a session: what a test says comes over them, or an echo."""

    def __init__(self, scripts, played):
        self.scripts = scripts
        self.played = played
        self.open = []
        self.waited_ms = 0

    def waited(self):
        """How long this step has waited for messages."""
        waited, self.waited_ms = self.waited_ms, 0
        return waited

    def opened(self, request, outcome):
        if request.protocol is None or isinstance(outcome, str):
            return outcome
        line = f"{request.method} {request.route}"
        is_websocket = request.protocol == "websocket"
        if is_websocket and request.body is not None:
            raise Refused(f"{line}: a WebSocket is opened by a GET without a body")
        status, headers, _, latency_us = outcome[:4]
        opens = 101 if is_websocket else 200
        if line not in self.scripts and status != opens:
            return outcome
        echoes = is_websocket and line not in self.scripts
        self.open.append({"waiting": list(self.scripts.get(line, ())), "echoes": echoes, "ended": False, "takes": is_websocket})
        return Opened(len(self.open) - 1, opens, headers, latency_us)

    def carry_out(self, operation):
        number = operation.channel.number
        channel = self.open[number]
        if channel is None:
            raise Refused(f"it has no channel {number}: it was closed, or never opened")
        if operation.what == "receive":
            return self._received(operation, channel)
        if operation.what == "close":
            self.open[number] = None
            return None
        if not channel["takes"]:
            raise Refused("an event stream takes no messages")
        if operation.what == "end":
            channel["ended"] = True
            return None
        self.played.messages.append((operation.channel.line, operation.content))
        if channel["echoes"]:
            channel["waiting"].append(operation.content)
        return None

    def _received(self, operation, channel):
        waiting = channel["waiting"]
        contents, channel["waiting"] = waiting[: operation.at_most], waiting[operation.at_most :]
        if len(contents) < operation.at_most and not channel["ended"]:
            self.waited_ms = max(self.waited_ms, operation.within_ms)
        if channel["ended"] and not channel["waiting"]:
            contents.append(None)
        at_us = self.played.elapsed_ms * 1000
        return Received([(content, "", "", at_us) for content in contents], 0)


def _check(request):
    """What the host refuses."""
    line = f"{request.method} {request.route}"
    if not request.path.startswith(("/", "http://", "https://")) or any(char <= " " or char == "\x7f" for char in request.path):
        raise Refused(f"{line}: the path `{request.path}` is neither one that starts with `/` nor a URL, or has control characters")


def _outcome(request, replies, otherwise):
    line = f"{request.method} {request.route}"
    reply = replies.get(line, otherwise)
    if reply is None:
        raise Refused(f"no reply is scripted for {line}")
    answer = _answer(reply, request)
    if isinstance(answer, str):
        return answer
    if request.method == "GRPC":
        code, message = ("OK", answer) if isinstance(answer, bytes) else answer
        return _grpc(request, line, code, message)
    status, body = (answer, None) if isinstance(answer, int) else answer
    raw = json.dumps(body).encode() if body is not None and request.capture in ("body", "all") else b""
    headers = [("content-type", "application/json")] if request.capture in ("headers", "all") else []
    return status, headers, raw, LATENCY_MS * 1000


def _grpc(request, line, code, message):
    """The end of a gRPC call: a message, which is OK, or a code and the target's words."""
    raw = message if code == "OK" and request.capture in ("body", "all") else b""
    headers = [("content-type", "application/grpc")] if request.capture in ("headers", "all") else []
    status = status_of(number_of(line, code), "" if code == "OK" else message, [])
    return 200, headers, raw, LATENCY_MS * 1000, status


def _answer(reply, request):
    return reply(request) if callable(reply) else reply
