"""A channel that a journey has open: a WebSocket, or a stream of events. What is done with it is yielded, as a request is; the
executor carries it out. It is closed with its session.
"""

import json

from .errors import UnexpectedBody, UsageError

MAX_WAIT_MS = 3_600_000


class Opened:
    """What the host says of a channel that is open."""

    __slots__ = ("channel", "status", "headers", "latency_us")

    def __init__(self, channel, status, headers, latency_us):
        self.channel = channel
        self.status = status
        self.headers = headers
        self.latency_us = latency_us


class Received:
    """What has come: `(content, event, id, at_us)` each, whose content is None at the end; and how many were dropped before."""

    __slots__ = ("messages", "dropped")

    def __init__(self, messages, dropped):
        self.messages = messages
        self.dropped = dropped


class Operation:
    """What is to be done with a channel: `what` is `send`, `end`, `receive` or `close`."""

    __slots__ = ("channel", "what", "content", "at_most", "within_ms")

    def __init__(self, channel, what, content=None, at_most=0, within_ms=0):
        self.channel = channel
        self.what = what
        self.content = content
        self.at_most = at_most
        self.within_ms = within_ms


class Channel:
    __slots__ = ("line", "number", "status", "headers", "latency_us", "ended", "closed", "dropped")

    def __init__(self, line, opened):
        self.line = line
        self.number = opened.channel
        #: HTTP status code of the answer that has opened it.
        self.status = opened.status
        #: Pairs of a name in lower case and a value; empty unless captured.
        self.headers = opened.headers
        self.latency_us = opened.latency_us
        #: The target has closed it, and all that it had sent was received.
        self.ended = False
        self.closed = False
        #: Messages that were dropped, since they were not received in time.
        self.dropped = 0

    def send(self, content):
        """Send a text, or bytes."""
        if not isinstance(content, (str, bytes)):
            raise UsageError(f"{self.line}: a message is a str or bytes: send_json(…) sends other values")
        return Operation(self, "send", content)

    def send_json(self, value):
        """Send JSON as a text."""
        return self.send(json.dumps(value, separators=(",", ":")))

    def end(self):
        """Say that nothing more is sent; what the target still sends can be received."""
        return Operation(self, "end")

    def receive(self, within_ms, at_most=1):
        """A list of so many messages, from 1 to 256, or of what has come of them in so many milliseconds, oldest first."""
        if not 0 <= within_ms <= MAX_WAIT_MS:
            raise UsageError(f"{self.line}: receive(within_ms) takes 0 to {MAX_WAIT_MS}")
        if not 1 <= at_most <= 256:
            raise UsageError(f"{self.line}: receive(…, at_most) takes 1 to 256")
        return Operation(self, "receive", None, at_most, within_ms)

    def close(self):
        """Close it, and wait a moment for the target to agree. Nothing may be done with it afterwards."""
        return Operation(self, "close")

    def take(self, received):
        """For the executor: what an outcome means for the journey."""
        if received is None:
            return None
        self.dropped += received.dropped
        messages = received.messages
        if messages and messages[-1][0] is None:
            messages = messages[:-1]
            self.ended = True
        return [Message(self.line, *message) for message in messages]


class Message:
    """A message that has come."""

    __slots__ = ("line", "content", "event", "id", "at_us")

    def __init__(self, line, content, event, id, at_us):
        self.line = line
        #: A str, or bytes.
        self.content = content
        #: Name of an event; empty for a plain `message`, and over a WebSocket.
        self.event = event
        #: Of an event: the last id that the stream has said.
        self.id = id
        #: When it was complete, since the session began.
        self.at_us = at_us

    def text(self):
        return self.content if isinstance(self.content, str) else self.content.decode(errors="replace")

    def json(self):
        """What it carries as JSON; the person gives up when it is none."""
        try:
            return json.loads(self.content)
        except ValueError as error:
            raise UnexpectedBody(self.line, error) from None
