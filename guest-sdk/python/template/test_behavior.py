"""Plays the journey against scripted replies: `python3 -m unittest`."""

import unittest

from behavior import BEHAVIOR
from vespeiro.harness import play

REPLIES = {
    "POST /api/v1/users": 201,
    "POST /api/v1/auth/login": (200, {"data": {"access_token": "a", "expires_in": 900, "user": {"id": "7"}}}),
    "GET /api/v1/users": (200, {"data": [{"id": "7"}, {"id": "8"}]}),
    "GET /api/v1/users/{userId}/roles": (200, {"data": []}),
    "PUT /api/v1/users/{id}": 200,
    "GET /api/v1/users/{id}": (200, {"data": {"name": "Ana Lima"}}),
    "POST /api/v1/auth/logout": 204,
}


class Journey(unittest.TestCase):
    def test_a_newcomer_registers_looks_around_changes_their_name_and_leaves(self):
        played = play(BEHAVIOR, REPLIES)
        self.assertEqual(played.ending, "completed", played.error)
        self.assertEqual(played.routes[:2], ["POST /api/v1/users", "POST /api/v1/auth/login"])
        self.assertEqual(played.routes[-1], "POST /api/v1/auth/logout")
        self.assertEqual(played.left_behind, ["user:sim_user_testrun0_0"])
        self.assertEqual(played.checks, [("a new name reads as written", False)])

    def test_who_has_an_account_logs_in_with_it_and_gives_up_when_the_service_is_down(self):
        played = play(BEHAVIOR, {**REPLIES, "POST /api/v1/auth/login": 503}, ordinal=1)
        self.assertEqual(played.ending, "abandoned")
        self.assertEqual(played.routes, ["POST /api/v1/auth/login"])

    def test_a_mistake_is_made_when_it_is_asked_for(self):
        played = play(BEHAVIOR, REPLIES, ordinal=1, faults=["invalid-data"])
        self.assertEqual([request.route for request in played.requests if request.fault], ["/api/v1/users/{id}"])


if __name__ == "__main__":
    unittest.main()
