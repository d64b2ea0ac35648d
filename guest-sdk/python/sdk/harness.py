"""The test harness: plays a behavior in Python as it is here, against scripted replies, so that an author tests a journey
without a network. It runs the executor that the module runs, and refuses what the host would refuse.
"""

import json

from .errors import Refused
from .session import Session, Setup

MAX_STEPS = 100_000
MAX_DELAY_MS = 3_600_000
LATENCY_MS = 1


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
        #: Pairs of a name and whether it held, and so on, in order.
        self.checks = []
        self.observed = []
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

    def __init__(self, played, feeds):
        self.feeds = {name: list(rows) for name, rows in feeds.items()}
        self.log = lambda level, message: played.logs.append((level, message))
        self.check = lambda name, passed: played.checks.append((name, passed))
        self.observe = lambda metric, value: played.observed.append((metric, value))
        self.mark = played.marks.append
        self.unmark = played.unmarks.append

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
         wanted=None, faults=(), cleanup=None, feeds=None):  # fmt: skip
    """Play one session to its end. `replies` by route (`"GET /users/{id}": (200, {…})`): a status, a pair of status and
    JSON body, the word of a failure, or a function of the request that gives one of these; `otherwise` answers all other
    routes; `wanted` are points by category; `cleanup` are the marks of a cleanup, `feeds` rows by name."""
    played = Played()
    marks = None if cleanup is None else list(cleanup)
    setup = Setup(User(user), ordinal, seed, marks, pace, "testrun0", json.dumps(config or {}))
    mix = [float((wanted or {}).get(name, 0)) for name in behavior.categories] if wanted else []
    try:
        session = Session(behavior, setup, Recorder(played, feeds or {}))
        played.ending = _run(session, behavior, dict(replies), otherwise, list(faults), mix, budget, played)
    except Refused as refused:
        played.error = str(refused)
    return played


def _run(session, behavior, replies, otherwise, faults, mix, budget, played):
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
        for request in action:
            _check(request, behavior)
            if faults and request.fault == faults[0]:
                faults.pop(0)
            played.requests.append(request)
            outcomes.append(_outcome(request, replies, otherwise))
        budget -= len(outcomes)
        played.elapsed_ms += LATENCY_MS if outcomes else 0
    raise Refused(f"no end after {MAX_STEPS} steps")


def _check(request, behavior):
    """What the host refuses."""
    line = f"{request.method} {request.route}"
    if not request.path.startswith("/") or any(char <= " " or char == "\x7f" for char in request.path):
        raise Refused(f"{line}: the path `{request.path}` does not start with `/` or has control characters")
    if request.category not in behavior.categories:
        raise Refused(f"{line}: no route declares the category `{request.category}`")


def _outcome(request, replies, otherwise):
    line = f"{request.method} {request.route}"
    reply = replies.get(line, otherwise)
    if reply is None:
        raise Refused(f"no reply is scripted for {line}")
    answer = _answer(reply, request)
    if isinstance(answer, str):
        return answer
    status, body = (answer, None) if isinstance(answer, int) else answer
    raw = json.dumps(body).encode() if body is not None and request.capture in ("body", "all") else b""
    headers = [("content-type", "application/json")] if request.capture in ("headers", "all") else []
    return status, headers, raw, LATENCY_MS * 1000


def _answer(reply, request):
    return reply(request) if callable(reply) else reply
