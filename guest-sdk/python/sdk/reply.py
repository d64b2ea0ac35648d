"""What a request brought back, and the short ways to insist on what it should have been. The executor makes it; journeys
drop it as soon as they have read it, so that no session keeps a body.
"""

import json

from .errors import UnexpectedBody, UnexpectedStatus, UsageError


class Reply:
    __slots__ = ("line", "capture", "status", "body", "headers", "latency_us", "grpc")

    def __init__(self, line, capture, status, headers, body, latency_us, grpc=None):
        self.line = line
        self.capture = capture
        #: HTTP status code.
        self.status = status
        #: Pairs of a name in lower case and a value; empty unless captured.
        self.headers = headers
        #: The body's bytes; empty unless captured.
        self.body = body
        #: From the send to the last byte of the body.
        self.latency_us = latency_us
        #: How a gRPC call has ended: `code` by its name, `message`, and `trailers` where headers are captured; None of other requests.
        self.grpc = grpc

    @property
    def ok(self):
        """Whether the status is 2xx; of a gRPC call, whether its code is OK."""
        return 200 <= self.status < 300 if self.grpc is None else self.grpc.code == "OK"

    def expect(self, *statuses):
        """Go on only with one of these statuses, or without any given, with a 2xx; otherwise the person gives up. Of a gRPC call:
        with one of these codes, as `NOT_FOUND`, or with OK."""
        status = self.status if self.grpc is None else self.grpc.code
        if status in statuses if statuses else self.ok:
            return self
        raise UnexpectedStatus(self.line, status)

    def text(self):
        if self.capture not in ("body", "all"):
            raise UsageError(f"{self.line}: the body was not captured")
        return self.body.decode(errors="replace")

    def json(self):
        """The body as JSON; the person gives up when it is none."""
        text = self.text()
        try:
            return json.loads(text)
        except ValueError as error:
            raise UnexpectedBody(self.line, error) from None

    def header(self, name):
        """The first value of a captured header; `name` in lower case."""
        return next((value for key, value in self.headers if key == name), None)
