"""`Me`: what a journey is given: who it is, what the host has said, and all it may say and draw. The executor makes one
for each session. What a journey *does* it yields instead: requests (calls.py) and pauses (pauses.py).
"""

import json
import math

from .errors import ConfigError
from .fake import FAKES
from .tokens import Tokens, log_out_marked


class Me:
    __slots__ = ("_session", "user", "ordinal", "run", "marks")

    def __init__(self, session, setup):
        self._session = session
        #: The identity that the host made: `index`, `username`, `email`, `password`, `name`.
        self.user = setup.user
        #: How many sessions this user has begun before.
        self.ordinal = setup.ordinal
        #: Identifier of the run; goes into the name of whatever is created.
        self.run = setup.run
        #: What cleanup has to remove, oldest first; empty in a journey.
        self.marks = setup.marks

    @property
    def config(self):
        """The archetype's configuration from the plan."""
        try:
            return json.loads(self._session.config)
        except ValueError as error:
            raise ConfigError(str(error)) from None

    @property
    def pace(self):
        """Bounds of the plan's pauses in milliseconds."""
        return self._session.pace

    @property
    def elapsed_ms(self):
        """Milliseconds since the session began, pauses included."""
        return self._session.clock

    @property
    def requests_left(self):
        """How many more requests this user may send. At 0 the next request ends the session."""
        return self._session.left

    def tokens(self, name, password):
        """The tokens of an account, not logged in yet."""
        return Tokens(self._session, name, password)

    def log_out_marked(self):
        """For a cleanup, with `yield from`: log out the tokens among the marks, which `lasting` holders could not, and give
        the other marks. A token keeps its mark where the target does not let it go."""
        return log_out_marked(self._session, self.marks)

    def wanted(self, category):
        """How far the run is from the plan's share of a category, in percentage points; above 0 it is wanted."""
        session = self._session
        if not session.mix or category not in session.behavior.categories:
            return 0.0
        return session.mix[session.behavior.categories.index(category)]

    def fault(self):
        """The wrong request that the host asks for right now, once: whoever takes it commits it with the next request."""
        fault, self._session.fault = self._session.fault, None
        return fault

    def check(self, name, passed):
        """Count a check: something that should hold, and whether it did. Gives `passed` back."""
        self._session.host.check(name, bool(passed))
        return passed

    def observe(self, metric, value):
        """Add a value to a custom metric."""
        self._session.host.observe(metric, float(value))

    def begin(self, transaction):
        """Begin a transaction: a named span that the host measures, with and without pauses; `transaction` is its short
        form."""
        self._session.host.begin(transaction)

    def end(self, transaction, passed=True):
        """End one that is open: whether it did what it was for."""
        self._session.host.end(transaction, bool(passed))

    def transaction(self, name, steps):
        """With `yield from`: the steps of a generator as a transaction, which has passed where they end without an error."""
        self.begin(name)
        passed = False
        try:
            result = yield from steps
            passed = True
            return result
        finally:
            self.end(name, passed)

    def share(self, value):
        """In the behavior's `prepare`: hand this to all sessions of the archetype, at most 64 KiB of JSON."""
        self._session.host.share(json.dumps(value, separators=(",", ":")))

    @property
    def shared(self):
        """What `prepare` has shared; None where there is nothing."""
        value = self._session.host.shared()
        return None if value is None else json.loads(value)

    def remember(self, notes):
        """Keep notes for this user's next sessions, instead of those before: at most 4096 bytes of JSON."""
        self._session.host.remember(json.dumps(notes, separators=(",", ":")))

    def remembered(self):
        """What this user has remembered, in this session or one before; None where there is nothing."""
        notes = self._session.host.remembered()
        return None if notes is None else json.loads(notes)

    def secret(self, name):
        """One of the plan's `[secrets]`, for a header or a body. The host shows it nowhere."""
        value = self._session.host.secret(name)
        if value is None:
            raise ConfigError(f"the plan has no secret {name}: name its variable or file in [secrets]")
        return value

    def mark(self, thing):
        """Say that something was created, `<kind>:<name>`; a request's `mark` says it earlier and is safer."""
        self._session.host.mark(thing)

    def unmark(self, thing):
        """Say that a marked thing is gone."""
        self._session.host.unmark(thing)

    def log(self, message, level="info"):
        """Write a line to the host's log: `debug`, `info`, `warn` or `error`. Never a secret."""
        self._session.host.log(level, str(message))

    def feed(self, name):
        """The next row of one of the plan's data feeds; None when there is none for this user."""
        row = self._session.host.feed(name)
        return None if row is None else json.loads(row)

    def random(self):
        """At least 0, less than 1."""
        return self._session.rng.float()

    def range(self, least, most):
        """A whole number, both bounds included."""
        return self._session.rng.range(least, most)

    def chance(self, probability):
        """True with this probability."""
        return self._session.rng.float() < probability

    def pick(self, items):
        """One of the items; None when there are none."""
        return self._session.rng.pick(items)

    def weighted(self, pairs):
        """One of `(item, weight)`, each as often as its weight says."""
        return self._session.rng.weighted(pairs)

    def choose(self, choices):
        """One of `(what, weight, category)`: by weight, steered towards the categories that the plan's mix still wants.
        A category that is `n` percentage points short has its weight multiplied by e^(n/3)."""

        def steer(category):
            return min(max(math.exp(self.wanted(category) / 3), 0.01), 100.0)

        return self.weighted([(what, weight * steer(category)) for what, weight, category in choices])

    def fake(self, kind):
        """Made-up data: `name`, `city`, `bio`, `phone`, `website`, `birth_date` or `search`."""
        return FAKES[kind](self._session.rng)
