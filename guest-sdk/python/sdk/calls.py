"""What a journey yields to send something: one request, or several things together. These only describe; the executor in
session.py acts on them.
"""

from .errors import UsageError


class Call:
    __slots__ = ("line", "args", "options", "protocol")

    def __init__(self, line, args, options, protocol=None):
        self.line = line
        self.args = args
        self.options = options
        #: What is to be spoken over the channel that it opens, if it is to open one.
        self.protocol = protocol


class Opening:
    """A request that is to open a channel."""

    __slots__ = ("call",)

    def __init__(self, call):
        self.call = call


class Together:
    __slots__ = ("items",)

    def __init__(self, items):
        self.items = items


OPTIONS = frozenset(
    ("query", "json", "form", "multipart", "body", "headers", "bearer", "mark", "fault", "category", "timeout_ms", "capture", "expect",
     "path")
)


def _call(method, path, args, options):
    unknown = options.keys() - OPTIONS
    if unknown:
        raise TypeError(f"{method} {path}: no option {', '.join(sorted(unknown))}; there are {', '.join(sorted(OPTIONS))}")
    return Call(f"{method} {path}", args or {}, options)


def get(path, /, args=None, **options):
    """A request to a declared route: `args` fill the path's placeholders; options are `query`, `json`, `form`,
    `multipart`, `body`, `headers`, `bearer` (of `me.tokens`, or a token as text), `mark`, `fault`, `category`, `timeout_ms`, `path` (a link from a
    reply, sent as it is instead of the path), `expect` (a status, or a list of them, from 400 on that are no error), and
    `capture`: `body` (the default), `headers`, `all` or `nothing`."""
    return _call("GET", path, args, options)


#: What would take the place of a gRPC call's message, or of its method.
NOT_OF_GRPC = ("query", "json", "form", "multipart", "body", "path")


def grpc(path, message=b"", /, **options):
    """A call of a method of gRPC that is declared as `GRPC /package.Service/Method`: its message as bytes, without a frame, and
    the options of a request. The reply's `grpc` says how it has ended; `expect` are names of codes, as `NOT_FOUND`."""
    odd = next((name for name in NOT_OF_GRPC if name in options), None)
    if odd is not None:
        raise TypeError(f"GRPC {path}: a call of gRPC has no {odd}: its message is the second argument")
    return _call("GRPC", path, None, {**options, "body": bytes(message)})


def head(path, /, args=None, **options):
    return _call("HEAD", path, args, options)


def post(path, /, args=None, **options):
    return _call("POST", path, args, options)


def put(path, /, args=None, **options):
    return _call("PUT", path, args, options)


def patch(path, /, args=None, **options):
    return _call("PATCH", path, args, options)


def delete(path, /, args=None, **options):
    return _call("DELETE", path, args, options)


def options(path, /, args=None, **settings):
    return _call("OPTIONS", path, args, settings)


PROTOCOLS = ("websocket", "event-stream")


def open_channel(protocol, path, /, args=None, **options):
    """Open a channel with a GET of a declared route: a `websocket`, or an `event-stream`. Gives it once it is open; the person
    gives up where the answer opens none."""
    if protocol not in PROTOCOLS:
        raise UsageError(f"open_channel takes {' or '.join(PROTOCOLS)}, then what a request takes, and not {protocol!r}")
    call = _call("GET", path, args, options)
    call.protocol = protocol
    return Opening(call)


def all_of(items):
    """Requests, pauses and generators at the same time; what is sent at one point goes out as one step. Gives the list of
    what they return, in order, once all have ended; then raises the first error among them, if any."""
    return Together(list(items))
