"""The module's side of the contract: what the host calls becomes sessions, what sessions say reaches the host. build.py
names it to componentize-py; nothing else imports it, for only inside a module is there a host to import.
"""

import datetime
import random
import sys
import time

from componentize_py_types import Err
from wit_world.imports import host as imported
from wit_world.imports import types

from . import early  # noqa: F401
from .channel import Opened, Operation, Received
from .codes import status_of
from .errors import Refused
from .session import Sent, Setup
from .session import Session as Core

LEVELS = {"debug": imported.Level.DEBUG, "info": imported.Level.INFO, "warn": imported.Level.WARN, "error": imported.Level.ERROR}
METHODS = {method.name: method for method in types.Method} | {"GRPC": types.Method.POST}
KINDS = {kind.name.lower(): kind for kind in types.Kind}
PROTOCOLS = {"websocket": types.Protocol.WEBSOCKET, "event-stream": types.Protocol.EVENT_STREAM}
FAULTS = {
    "bad-credentials": types.Fault_BadCredentials, "forbidden": types.Fault_Forbidden, "invalid-data": types.Fault_InvalidData,
    "not-found": types.Fault_NotFound, "rate-limit": types.Fault_RateLimit,
}  # fmt: skip
FAULT_WORDS = {fault: word for word, fault in FAULTS.items()}
FAILURE_WORDS = {
    types.Failure_Timeout: "timeout", types.Failure_Connect: "connect", types.Failure_Tls: "tls", types.Failure_Reset: "reset",
    types.Failure_Protocol: "protocol", types.Failure_TooLarge: "too-large", types.Failure_Redirects: "redirects",
    types.Failure_Unprocessed: "unprocessed", types.Failure_Channel: "channel", types.Failure_Generator: "generator",
    types.Failure_CircuitOpen: "circuit-open", types.Failure_Stopped: "stopped",
}  # fmt: skip
PURPOSES = {types.Purpose_Journey: "journey", types.Purpose_Cleanup: "cleanup", types.Purpose_Prepare: "prepare",
            types.Purpose_Teardown: "teardown"}  # fmt: skip
ENDINGS = {"completed": types.Ending.COMPLETED, "abandoned": types.Ending.ABANDONED}
CAPTURES = {
    "body": types.Capture.BODY,
    "headers": types.Capture.HEADERS,
    "all": types.Capture.HEADERS | types.Capture.BODY,
    "nothing": types.Capture(0),
}
#: Where every session's clock begins (2000-01-01): a time of its own, so that the same seed makes the same decisions.
EPOCH = 946_684_800

#: The session whose call is running; print, time and random are its own.
running = None


class Host:
    check = staticmethod(imported.check)
    observe = staticmethod(imported.observe)
    mark = staticmethod(imported.mark)
    unmark = staticmethod(imported.unmark)
    feed = staticmethod(imported.feed)
    secret = staticmethod(imported.secret)
    begin = staticmethod(imported.begin)
    end = staticmethod(imported.end)
    abandoned = staticmethod(imported.abandoned)
    remember = staticmethod(imported.remember)
    remembered = staticmethod(imported.remembered)
    share = staticmethod(imported.share)
    shared = staticmethod(imported.shared)

    @staticmethod
    def log(level, message):
        imported.log(LEVELS[level], message)


class Printed:
    """What a journey prints becomes lines of the host's log."""

    def __init__(self, level):
        self.level = level
        self.begun = ""

    def write(self, text):
        *lines, self.begun = (self.begun + text).split("\n")
        for line in lines:
            if running is not None:
                Host.log(self.level, line)
        return len(text)

    def flush(self):
        pass


class SessionRandom(random.Random):
    """Python's own functions over the running session's generator."""

    def random(self):
        return running.rng.float() if running is not None else 0.5

    def getrandbits(self, k):
        rng, bits = running.rng, 0
        for _ in range(0, k, 64):
            bits = bits << 64 | rng.bits()
        return bits & ((1 << k) - 1)


class SessionDatetime(datetime.datetime):
    """Dates whose now is the running session's."""

    @classmethod
    def now(cls, tz=None):
        return cls.fromtimestamp(time.time(), tz)

    @classmethod
    def today(cls):
        return cls.now()

    @classmethod
    def utcnow(cls):
        return cls.now(datetime.timezone.utc).replace(tzinfo=None)


class SessionDate(datetime.date):
    @classmethod
    def today(cls):
        return cls.fromtimestamp(time.time())


def _prepare():
    drawn = SessionRandom()
    for name in ("betavariate", "choice", "choices", "expovariate", "gauss", "getrandbits", "lognormvariate",
                 "normalvariate", "randint", "random", "randrange", "sample", "shuffle", "triangular", "uniform"):  # fmt: skip
        setattr(random, name, getattr(drawn, name))
    time.time = lambda: EPOCH + (running.clock / 1000 if running is not None else 0)
    time.monotonic = time.perf_counter = lambda: running.clock / 1000 if running is not None else 0.0
    datetime.datetime, datetime.date = SessionDatetime, SessionDate
    sys.stdout, sys.stderr = Printed("info"), Printed("warn")


_prepare()
# Only now, so that the author's module finds all as it will be.
from behavior import BEHAVIOR as DEFINITION  # noqa: E402


class Behavior:
    """The contract's exported functions."""

    def describe(self):
        routes = [
            types.Route(METHODS[route.method], route.path, route.category, KINDS[route.kind(DEFINITION.auth)], route.target,
                        route.method == "GRPC")  # fmt: skip
            for route in sorted(DEFINITION.table.values(), key=lambda route: route.place)
        ]
        once = types.Once(0)
        if DEFINITION.starts["prepare"]:
            once |= types.Once.PREPARE
        if DEFINITION.starts["teardown"]:
            once |= types.Once.TEARDOWN
        return types.Description(DEFINITION.name, DEFINITION.version, routes, DEFINITION.categories, once)


class Session:
    """The contract's exported resource."""

    # No __slots__: componentize-py keeps the host's handle on the object.
    def __init__(self, setup):
        purpose, pace = setup.purpose, setup.pace
        marks = purpose.value if isinstance(purpose, types.Purpose_Cleanup) else []
        bounds = (pace.delay_min_ms, pace.delay_max_ms)
        purpose = PURPOSES[type(purpose)]
        told = Setup(setup.user, setup.ordinal, setup.seed, purpose, marks, bounds, setup.run, setup.config)
        self.core = Core(DEFINITION, told, Host)

    def next(self, context, outcomes):
        global running
        running = self.core
        heard = [_heard(outcome) for outcome in outcomes]
        fault = None if context.fault is None else _word(context.fault, FAULT_WORDS)
        try:
            delay_ms, action = running.next(context.elapsed_ms, context.requests_left, context.mix, fault, heard)
        except Refused as refused:
            raise Err(str(refused)) from None
        if isinstance(action, str):
            return types.Step(delay_ms, types.Action_Done(ENDINGS[action]))
        if all(isinstance(one, Sent) and one.protocol is None for one in action):
            return types.Step(delay_ms, types.Action_Requests([_request(sent) for sent in action]))
        return types.Step(delay_ms, types.Action_Operations([_operation(one) for one in action]))


def _word(case, words):
    """A case of the contract as one word: one that this SDK does not know has the host's."""
    return words.get(type(case)) or case.value


def _heard(outcome):
    if isinstance(outcome, types.Outcome_Done):
        return None
    value = outcome.value
    if isinstance(outcome, types.Outcome_Response):
        grpc = value.grpc and status_of(value.grpc.code, value.grpc.message, value.grpc.trailers)
        return value.status, value.headers, value.body, value.latency_us, grpc
    if isinstance(outcome, types.Outcome_Failed):
        return _word(value, FAILURE_WORDS)
    if isinstance(outcome, types.Outcome_Opened):
        return Opened(value.channel, value.status, value.headers, value.latency_us)
    return Received([(_content(one.content), one.event, one.id, one.at_us) for one in value.messages], value.dropped)


def _content(content):
    return None if isinstance(content, types.Content_End) else content.value


def _request(sent):
    fault = None
    if sent.fault is not None:
        fault = FAULTS[sent.fault]() if sent.fault in FAULTS else types.Fault_Other(sent.fault)
    return types.Request(sent.place, sent.path, sent.other_category, sent.headers, _body(sent.body), sent.expect,
                         CAPTURES[sent.capture], sent.timeout_ms, sent.mark, fault)  # fmt: skip


def _body(body):
    if body is None:
        return None
    if isinstance(body, bytes):
        return types.Body_Bytes(body)
    pieces = [types.Piece_Bytes(one) if isinstance(one, bytes) else types.Piece_File(one.name) for one in body]
    return types.Body_Pieces(pieces)


def _operation(one):
    if isinstance(one, Sent):
        request = _request(one)
        if one.protocol is None:
            return types.Operation_Request(request)
        return types.Operation_Open(types.Opening(PROTOCOLS[one.protocol], request))
    number = one.channel.number
    if one.what == "receive":
        return types.Operation_Receive(types.Receiving(number, one.at_most, one.within_ms))
    if one.what == "close":
        return types.Operation_Close(number)
    if one.what == "end":
        content = types.Content_End()
    else:
        content = types.Content_Text(one.content) if isinstance(one.content, str) else types.Content_Binary(one.content)
    return types.Operation_Send(types.Sending(number, content))
