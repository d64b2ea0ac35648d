"""Plays the journey, whatever it asks for: `python3 -m unittest`."""

import unittest

from behavior import BEHAVIOR
from vespeiro.harness import play

#: What the journey reads in a body: `"GET /items": (200, {"items": []})`.
REPLIES = {}


class Journey(unittest.TestCase):
    def test_it_comes_to_its_end_and_its_checks_hold(self):
        for ordinal in (0, 1):
            played = play(BEHAVIOR, REPLIES, otherwise=(200, {}), ordinal=ordinal)
            self.assertEqual(played.ending, "completed", played.error)
            self.assertTrue(played.requests)
            self.assertEqual([name for name, passed in played.checks if not passed], [])

    def test_a_service_that_fails_is_no_mistake_of_the_journey(self):
        self.assertIsNone(play(BEHAVIOR, otherwise=503).error)


if __name__ == "__main__":
    unittest.main()
