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

from .errors import Refused
from .session import Session as Core
from .session import Setup

LEVELS = {"debug": imported.Level.DEBUG, "info": imported.Level.INFO, "warn": imported.Level.WARN, "error": imported.Level.ERROR}
METHODS = {method.name: method for method in types.Method}
FAULTS = {fault.name.lower().replace("_", "-"): fault for fault in types.Fault}
FAULT_WORDS = {fault: word for word, fault in FAULTS.items()}
FAILURE_WORDS = {failure: failure.name.lower().replace("_", "-") for failure in types.Failure}
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
        routes = [types.Route(METHODS[route.method], route.path, route.category) for route in DEFINITION.table.values()]
        return types.Description(DEFINITION.name, DEFINITION.version, routes, DEFINITION.categories)


class Session:
    """The contract's exported resource."""

    # No __slots__: componentize-py keeps the host's handle on the object.
    def __init__(self, setup):
        purpose, pace = setup.purpose, setup.pace
        marks = purpose.value if isinstance(purpose, types.Purpose_Cleanup) else None
        told = Setup(setup.user, setup.ordinal, setup.seed, marks, (pace.delay_min_ms, pace.delay_max_ms), setup.run, setup.config)
        self.core = Core(DEFINITION, told, Host)

    def next(self, context, outcomes):
        global running
        running = self.core
        heard = [
            (value.status, value.headers, value.body, value.latency_us)
            if isinstance(value := outcome.value, types.Response)
            else FAILURE_WORDS[value]
            for outcome in outcomes
        ]
        fault = None if context.fault is None else FAULT_WORDS[context.fault]
        try:
            delay_ms, action = running.next(context.elapsed_ms, context.requests_left, context.mix, fault, heard)
        except Refused as refused:
            raise Err(str(refused)) from None
        if isinstance(action, str):
            return types.Step(delay_ms, types.Action_Done(ENDINGS[action]))
        return types.Step(delay_ms, types.Action_Requests([_request(sent) for sent in action]))


def _request(sent):
    fault = None if sent.fault is None else FAULTS[sent.fault]
    return types.Request(METHODS[sent.method], sent.path, sent.route, sent.category, sent.headers, sent.body,
                         CAPTURES[sent.capture], sent.timeout_ms, sent.mark, fault)  # fmt: skip
