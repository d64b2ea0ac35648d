"""The types that editors read say what there is."""

import ast
import unittest
from pathlib import Path

import test_journeys  # noqa: F401 it makes the package `vespeiro` of the SDK's folder

import vespeiro
from vespeiro.calls import OPTIONS
from vespeiro.me import Me

STUB = ast.parse((Path(__file__).parent.parent / "sdk" / "__init__.pyi").read_text())


def names(body):
    for node in body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            yield node.name
        elif isinstance(node, ast.Assign):
            yield from (target.id for target in node.targets)
        elif isinstance(node, ast.AnnAssign):
            yield node.target.id


class Types(unittest.TestCase):
    def test_all_that_can_be_imported_has_a_type(self):
        self.assertEqual(set(vespeiro.__all__) - set(names(STUB.body)), set())

    def test_a_request_takes_its_options_and_no_others(self):
        (request,) = (node for node in STUB.body if getattr(node, "name", "") == "_request")
        self.assertEqual({argument.arg for argument in request.args.kwonlyargs}, OPTIONS)

    def test_a_journey_is_given_what_there_is(self):
        (me,) = (node for node in STUB.body if getattr(node, "name", "") == "Me")
        there = {name for name in [*vars(Me), *Me.__slots__] if not name.startswith("_")}
        self.assertEqual(set(names(me.body)), there)


if __name__ == "__main__":
    unittest.main()
