"""What a journey yields to send something: one request, or several things together. These only describe; the executor in
session.py acts on them.
"""


class Call:
    __slots__ = ("line", "args", "options")

    def __init__(self, line, args, options):
        self.line = line
        self.args = args
        self.options = options


class Together:
    __slots__ = ("items",)

    def __init__(self, items):
        self.items = items


OPTIONS = frozenset(
    ("query", "json", "body", "headers", "bearer", "mark", "fault", "category", "timeout_ms", "capture")
)


def _call(method, path, args, options):
    unknown = options.keys() - OPTIONS
    if unknown:
        raise TypeError(f"{method} {path}: no option {', '.join(sorted(unknown))}; there are {', '.join(sorted(OPTIONS))}")
    return Call(f"{method} {path}", args or {}, options)


def get(path, args=None, **options):
    """A request to a declared route: `args` fill the path's placeholders; options are `query`, `json`, `body`, `headers`,
    `bearer` (of `me.tokens`), `mark`, `fault`, `category`, `timeout_ms`, and `capture`: `body` (the default), `headers`,
    `all` or `nothing`."""
    return _call("GET", path, args, options)


def head(path, args=None, **options):
    return _call("HEAD", path, args, options)


def post(path, args=None, **options):
    return _call("POST", path, args, options)


def put(path, args=None, **options):
    return _call("PUT", path, args, options)


def patch(path, args=None, **options):
    return _call("PATCH", path, args, options)


def delete(path, args=None, **options):
    return _call("DELETE", path, args, options)


def options(path, args=None, **settings):
    return _call("OPTIONS", path, args, settings)


def all_of(items):
    """Requests, pauses and generators at the same time; what is sent at one point goes out as one step. Gives the list of
    what they return, in order, once all have ended; then raises the first error among them, if any."""
    return Together(list(items))
