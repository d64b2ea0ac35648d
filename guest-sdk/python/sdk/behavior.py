"""What a behavior is: its name, its routes, its journeys. An author calls `behavior` once, at the end of behavior.py; the
module and the harness read what it returns.
"""

import inspect

from .errors import UsageError
from .routes import Route


class Behavior:
    """A behavior, as `behavior` declares it."""

    def __init__(self, name, version, table, categories, journey, cleanup, auth):
        self.name = name
        self.version = version
        self.table = table
        self.categories = categories
        self.journey = journey
        self.cleanup = cleanup
        self.auth = auth


def behavior(*, name, version, routes, journey, cleanup=None, auth=None):
    """Declare a behavior: its `routes` by category (`{"auth": ["POST /login"]}`), its `journey`, and optionally `cleanup`
    (a journey that removes `me.marks`) and `auth` (the routes that `me.tokens` uses: `login`, `refresh`, `logout`)."""
    table = {line: Route(line, category) for category, lines in routes.items() for line in lines}
    for role, start in (("journey", journey), ("cleanup", cleanup)):
        if start is not None and not inspect.isgeneratorfunction(start):
            raise UsageError(f"{role} has to be a generator: def {role}(me): … yield …")
    auth = dict(auth or {})
    for role in ("login", "refresh", "logout"):
        if role in auth and auth[role] not in table:
            raise UsageError(f"auth: {auth[role]} is not among the routes: declare it there")
    return Behavior(name, version, table, list(routes), journey, cleanup, auth)
