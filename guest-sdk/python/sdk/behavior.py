"""What a behavior is: its name, its routes, its journeys. An author calls `behavior` once, at the end of behavior.py; the
module and the harness read what it returns.
"""

import inspect

from .errors import UsageError
from .routes import Route


class Behavior:
    """A behavior, as `behavior` declares it."""

    def __init__(self, name, version, table, categories, starts, auth):
        self.name = name
        self.version = version
        self.table = table
        self.categories = categories
        #: Journeys by what a session is for: `journey`, `cleanup`, `prepare`, `teardown`.
        self.starts = starts
        self.auth = auth


def behavior(*, name, version, routes, journey, cleanup=None, prepare=None, teardown=None, auth=None):
    """Declare a behavior: its `routes` by category (`{"auth": ["POST /login"]}`; those of another target than the run's own
    behind its name: `GET billing:/invoices`), its `journey`, and optionally `cleanup` (a journey that removes `me.marks`),
    `prepare` and `teardown` (journeys that are played once, before and after a run) and `auth` (the routes that
    `me.tokens` uses: `login`, `refresh`, `logout`)."""
    table = {}
    for category, lines in routes.items():
        for line in lines:
            # A line that is there twice keeps its place and has the later category.
            place = table[line].place if line in table else len(table)
            table[line] = Route(line, category, place)
    starts = {"journey": journey, "cleanup": cleanup, "prepare": prepare, "teardown": teardown}
    for role, start in starts.items():
        if start is not None and not inspect.isgeneratorfunction(start):
            raise UsageError(f"{role} has to be a generator: def {role}(me): … yield …")
    auth = dict(auth or {})
    for role in ("login", "refresh", "logout"):
        if role in auth and auth[role] not in table:
            raise UsageError(f"auth: {auth[role]} is not among the routes: declare it there")
    return Behavior(name, version, table, list(routes), starts, auth)
