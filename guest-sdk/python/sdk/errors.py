"""What can go wrong in a journey, and how its session ends: a target that misbehaves makes the person give up, any other
exception is a mistake of the behavior and fails the session with a message in the host's log.
"""


class GaveUp(Exception):
    """The person gives up; the session ends as abandoned. `raise GaveUp()` is how a journey does it on purpose."""


class Failed(GaveUp):
    """A request got no response. `kind` is `timeout`, `connect`, `tls`, `reset`, `protocol`, `too-large`,
    `redirects`, `unprocessed`, `channel`, `generator`, `circuit-open`, or another word of the host's."""

    def __init__(self, route, kind):
        super().__init__(f"{route}: no response: {kind}")
        self.kind = kind


class UnexpectedStatus(GaveUp):
    """A response had another status than the journey needs."""

    def __init__(self, route, status):
        super().__init__(f"{route}: unexpected status {status}")
        self.status = status


class UnexpectedBody(GaveUp):
    """A response had another body than the journey needs; also a line in the log."""

    def __init__(self, route, message):
        super().__init__(f"{route}: unexpected body: {message}")


class ConfigError(Exception):
    """The archetype's configuration cannot be used: say what is missing, where, and what to write instead."""


class UsageError(Exception):
    """The behavior itself is wrong."""


class Refused(Exception):
    """For the executor: the words that the host gets when a session fails."""
