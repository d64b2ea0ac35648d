"""Plays the journey and the cleanup against scripted replies: `python3 -m unittest`."""

import unittest

from behavior import BEHAVIOR
from vespeiro.harness import play

CONFIG = {"admin": {"email": "admin@example.test", "password": "secret"}}
REPLIES = {
    "POST /api/v1/auth/login": (200, {"data": {"access_token": "a", "expires_in": 900, "user": {"id": "1"}}}),
    "GET /api/v1/users": (200, {"data": [{"id": "7"}, {"id": "8"}]}),
    "POST /api/v1/users": (201, {"data": {"id": "9"}}),
    "PUT /api/v1/users/{id}": 200,
    "GET /api/v1/users/{id}": (200, {"data": {"name": "Ana Lima"}}),
    "GET /api/v1/users/{userId}/roles": (200, {"data": []}),
    "PUT /api/v1/users/{id}/deactivate": 200,
    "DELETE /api/v1/users/{id}": 204,
    "GET /api/v1/users/username/{username}": lambda sent: 404 if sent.path.endswith("gone") else (200, {"data": {"id": "9"}}),
    "POST /api/v1/auth/logout": 204,
}


class Journey(unittest.TestCase):
    def test_an_administrator_adds_edits_and_removes_a_user_and_leaves_nothing_behind(self):
        played = play(BEHAVIOR, REPLIES, config=CONFIG)
        self.assertEqual(played.ending, "completed", played.error)
        self.assertEqual(played.routes[0], "POST /api/v1/auth/login")
        self.assertEqual(played.unmarks, ["user:sim_user_testrun0_0_0", "token:Bearer a"])
        self.assertEqual(played.left_behind, [])

    def test_cleanup_removes_what_is_there_and_forgets_what_is_gone(self):
        marks = ["user:sim_user_x", "user:gone", "role:x", "token:Bearer cut"]
        played = play(BEHAVIOR, REPLIES, config=CONFIG, cleanup=marks)
        self.assertEqual(played.ending, "completed", played.error)
        self.assertEqual(sorted(played.unmarks), ["token:Bearer a", "token:Bearer cut", "user:gone", "user:sim_user_x"])

    def test_without_an_account_in_the_config_the_session_fails_and_says_what_to_write(self):
        self.assertIn("`admin` is missing", play(BEHAVIOR, REPLIES).error)


if __name__ == "__main__":
    unittest.main()
