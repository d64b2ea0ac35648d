"""The token holder: logs in, keeps the bearer token fresh, logs out. `me.tokens` makes one for each account, a request's
`bearer` uses it. At any time at most one request of a holder renews its token; the others wait for that one.
"""

import math

from .calls import Call, Together
from .errors import Failed, UnexpectedBody, UsageError

#: A token is renewed when a fifth of its life is left, but no earlier than this before its end.
MARGIN_MS = 30_000
#: What the mark of a token begins with; behind it, what logging out takes. The host knows it for a secret.
TOKEN = "token:"
#: Marked tokens that are logged out at a time.
AT_ONCE = 8


class Turn:
    """Waits until no other request of this holder is renewing."""

    __slots__ = ("tokens",)

    def __init__(self, tokens):
        self.tokens = tokens


class Tokens:
    __slots__ = (
        "name", "password", "busy", "queue", "_session", "_bearer", "_refresh", "_due_ms", "_generation", "_lasting",
    )  # fmt: skip

    def __init__(self, session, name, password):
        if "login" not in session.behavior.auth:
            raise UsageError('me.tokens needs the behavior\'s `auth={"login": "POST /…"}`')
        #: The account's name, and its password, which may change.
        self.name = name
        self.password = password
        # For the executor: whether one is renewing, and who waits.
        self.busy = False
        self.queue = []
        self._session = session
        self._bearer = ""
        self._refresh = None
        self._due_ms = 0
        # Counts the tokens that were had, so that two requests that meet a 401 log in once.
        self._generation = 0
        # Whoever cannot log out leaves it to cleanup.
        self._lasting = False

    def lasting(self):
        """The account is none of the run's, such as an administrator's: it outlives the run, and so would its tokens. They
        are marked while they live, and cleanup logs out (`me.log_out_marked`) what a session that was cut could not."""
        self._lasting = "logout" in self._session.behavior.auth
        return self

    @property
    def logged_in(self):
        """Whether there is a token, valid or not."""
        return self._bearer != ""

    def login(self):
        """Log in; gives the reply, for whatever else the target says there."""
        yield Turn(self)
        try:
            reply, _ = yield from self._login()  # what was had before lives on beside it
            return reply
        finally:
            self._session.release(self)

    def refresh(self):
        """Renew the token now, as happens by itself before it expires."""
        yield Turn(self)
        try:
            yield from self._renew()
        finally:
            self._session.release(self)

    def logout(self):
        """Log out and forget the tokens; nothing is sent when not logged in, or when the target has no such route."""
        bearer = self._bearer
        self.forget()
        logout = self._session.behavior.auth.get("logout")
        if bearer and logout:
            reply = yield _goodbye(logout, bearer)
            if _is_out(reply):
                self._unmark(bearer)
            reply.expect()

    def forget(self):
        """Forget the tokens without a word to the target."""
        self._bearer, self._refresh, self._due_ms = "", None, 0

    def authorized(self, wanted):
        """For the executor: a request with the token, renewed before it expires; a 401 logs in again and repeats it,
        once."""
        if self._is_due():
            yield Turn(self)
            try:
                if self._is_due():
                    yield from self._renew()
            finally:
                self._session.release(self)
        generation = self._generation
        reply = yield self._sign(wanted)
        refused = reply.status == 401 if reply.grpc is None else reply.grpc.code == "UNAUTHENTICATED"
        if not refused or wanted.options.get("fault"):
            return reply
        yield Turn(self)
        try:
            if self._generation == generation:
                yield from self._login_anew()
        finally:
            self._session.release(self)
        return (yield self._sign(wanted))

    def _is_due(self):
        return not self._bearer or self._session.clock >= self._due_ms

    def _sign(self, wanted):
        options = {name: value for name, value in wanted.options.items() if name != "bearer"}
        options["headers"] = {**options.get("headers", {}), "authorization": self._bearer}
        return Call(wanted.line, wanted.args, options, wanted.protocol)

    def _login(self):
        """The reply, and the token that this one takes the place of."""
        auth = self._session.behavior.auth
        json = {auth.get("name_field", "email"): self.name, "password": self.password}
        reply = (yield Call(auth["login"], {}, {"json": json})).expect()
        return reply, self._take(reply)

    def _login_anew(self):
        """Log in for a token that is worth nothing any more."""
        _, before = yield from self._login()
        self._unmark(before)

    def _renew(self):
        refresh = self._session.behavior.auth.get("refresh")
        token, self._refresh = self._refresh, None  # it rotates: never twice
        if refresh and token:
            reply = yield Call(refresh, {}, {"json": {"refresh_token": token}})
            if reply.ok:
                self._unmark(self._take(reply))
                return
        yield from self._login_anew()

    def _take(self, reply):
        """Hold the token that the reply grants; gives back the one before."""
        answer = reply.json()
        grant = answer.get("data", answer) if isinstance(answer, dict) else {}
        if not isinstance(grant, dict) or not isinstance(grant.get("access_token"), str):
            raise UnexpectedBody(reply.line, "no `access_token`")
        before, self._bearer = self._bearer, f"Bearer {grant['access_token']}"
        if self._lasting:
            self._session.host.mark(TOKEN + self._bearer)
        self._refresh = grant.get("refresh_token")
        life = grant.get("expires_in")
        if life is None:
            self._due_ms = math.inf
        else:
            self._due_ms = self._session.clock + life * 1000 - min(life * 200, MARGIN_MS)
        self._generation += 1
        return before

    def _unmark(self, bearer):
        """This token is worth nothing any more, unless it was granted anew: within a second some targets sign the same one."""
        if self._lasting and bearer and bearer != self._bearer:
            self._session.host.unmark(TOKEN + bearer)


def log_out_marked(session, marks):
    """For a cleanup: log out the tokens among these marks, and give the others."""
    logout = session.behavior.auth.get("logout")
    tokens = [mark for mark in marks if logout and mark.startswith(TOKEN)]
    for at in range(0, len(tokens), AT_ONCE):
        yield Together([_log_out_one(session.host, logout, mark) for mark in tokens[at : at + AT_ONCE]])
    return [mark for mark in marks if not mark.startswith(TOKEN)]


def _log_out_one(host, logout, mark):
    level = "warn"
    try:
        reply = yield _goodbye(logout, mark.removeprefix(TOKEN))
        if _is_out(reply):
            host.unmark(mark)
            return
        if reply.status == 429:
            level = "debug"  # no news of the token: it is still marked, so it has its turn again
        why = f"status {reply.status}"
    except Failed as failed:
        why = str(failed)
    host.log(level, f"cleanup: a token stays: {why}")


def _is_out(reply):
    """Whether a logout's answer means that the token is worth nothing any more: one that is refused is as good as gone."""
    return reply.ok or reply.status == 401


def _goodbye(logout, bearer):
    return Call(logout, {}, {"headers": {"authorization": bearer}, "capture": "nothing"})
