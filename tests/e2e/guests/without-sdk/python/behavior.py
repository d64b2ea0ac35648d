"""The resource of the contract, in a module of its interface's name: so componentize-py finds it."""

import datetime

from componentize_py_types import Err
from wit_world.imports.types import (
    Action_Done, Action_Requests, Capture, Context, Ending, Method, Outcome, Outcome_Response, Request, Setup, Step,
)


class Session:
    def __init__(self, setup: Setup):
        self.user = setup.user.index
        self.asked = False

    def next(self, context: Context, outcomes: list[Outcome]) -> Step:
        if self.asked:
            first = outcomes[0]
            if not isinstance(first, Outcome_Response) or first.value.status != 200:
                raise Err(repr(first))
            return Step(0, Action_Done(Ending.COMPLETED))
        self.asked = True
        print("I am", self.user, "in", datetime.datetime.now().year)
        request = Request(Method.GET, "/health", "/health", "monitoring", [], None, Capture(0), None, None, None)
        return Step(0, Action_Requests([request]))
