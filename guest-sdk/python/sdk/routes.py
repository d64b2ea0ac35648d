"""One declared route: `GET /users/{id}`, its category, and how a path is made of it. `behavior` makes them, the executor
looks them up for every request, so that nothing undeclared becomes a metric label.
"""

import re

from .errors import UsageError

LINE = re.compile(r"(GET|HEAD|POST|PUT|PATCH|DELETE|OPTIONS) (/\S*)")
UNRESERVED = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")


class Route:
    __slots__ = ("line", "method", "path", "category", "parts")

    def __init__(self, line, category):
        match = LINE.fullmatch(line)
        if match is None:
            raise UsageError(f"the route `{line}` is not of the form `GET /users/{{id}}`")
        self.line = line
        self.method, self.path = match.groups()
        self.category = category
        # Literals and placeholders in turn, a literal first.
        self.parts = re.split(r"\{([^}]*)\}", self.path)

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
    """`?page=1&sort=name`, without the values that are None; empty when nothing is left."""
    pairs = [f"{quote(name)}={quote(value)}" for name, value in query.items() if value is not None]
    return "?" + "&".join(pairs) if pairs else ""
