"""One declared route: `GET /users/{id}`, its category, target and kind, and how a path is made of it. `behavior` makes them, the executor
looks them up for every request, so that nothing undeclared becomes a metric label.
"""

import re

from .errors import UsageError

#: Of another target than the run's own behind the target's name: `GET billing:/invoices/{id}`; of gRPC `GRPC /shop.Catalog/Find`.
LINE = re.compile(r"(GET|HEAD|POST|PUT|PATCH|DELETE|OPTIONS|GRPC) (?:([\w-]+):)?(/\S*)")
#: What an account leaves by, where a behavior's `auth` does not say.
LEAVES = re.compile(r"(log|sign)[-_]?out|revoke", re.IGNORECASE)
#: The category whose POST routes ask who somebody is.
AUTH = "auth"
UNRESERVED = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")


class Route:
    __slots__ = ("line", "method", "target", "path", "category", "place", "parts")

    def __init__(self, line, category, place):
        match = LINE.fullmatch(line)
        if match is None:
            raise UsageError(f"the route `{line}` is not of the form `GET /users/{{id}}`")
        self.line = line
        #: `target` is the plan's name of the target that it is at; None for the run's own.
        self.method, self.target, self.path = match.groups()
        self.category = category
        #: Its place in the description.
        self.place = place
        # Literals and placeholders in turn, a literal first.
        self.parts = re.split(r"\{([^}]*)\}", self.path)

    @property
    def label(self):
        """As figures have it."""
        return self.path if self.target is None else f"{self.target}:{self.path}"

    def kind(self, auth):
        """What its requests do for who their user is: as `auth` says, else by what it is called."""
        for kind in ("login", "refresh", "logout"):
            if auth.get(kind) == self.line:
                return kind
        if self.method not in ("POST", "GRPC") or self.category != AUTH:
            return "plain"
        return "logout" if LEAVES.search(self.path) else "login"

    def fill(self, args):
        """The path with its placeholders filled in."""
        parts = self.parts
        if len(parts) == 1:
            return self.path
        filled = [parts[0]]
        for at in range(1, len(parts), 2):
            value = args.get(parts[at])
            if value is None:
                raise UsageError(f"{self.line}: lacks an argument for {{{parts[at]}}}")
            filled += (quote(value), parts[at + 1])
        return "".join(filled)


def quote(value):
    """The value with everything but RFC 3986's unreserved characters percent-encoded. (urllib would be ten times as
    much code in the module.)"""
    if isinstance(value, bool):
        value = "true" if value else "false"
    raw = str(value).encode()
    if UNRESERVED.issuperset(raw):
        return raw.decode()
    return "".join(chr(byte) if byte in UNRESERVED else f"%{byte:02X}" for byte in raw)


def query_of(query):
    """`?page=1&sort=name`, without the values that are None; a list gives its name so many times. Empty when nothing is left."""
    lists = ((name, value if isinstance(value, (list, tuple)) else (value,)) for name, value in query.items())
    pairs = [f"{quote(name)}={quote(value)}" for name, values in lists for value in values if value is not None]
    return "?" + "&".join(pairs) if pairs else ""
