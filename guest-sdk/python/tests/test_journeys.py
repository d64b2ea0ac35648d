"""The executor from outside, through the harness: how journeys become steps. Every test is one promise that authors of
journeys rely on. `python3 -m unittest discover --start-directory guest-sdk/python/tests`.
"""

import importlib.util
import sys
import unittest
from pathlib import Path

# The SDK is the package `vespeiro` in every project; here its folder has another name.
_init = Path(__file__).parent.parent / "sdk" / "__init__.py"
_spec = importlib.util.spec_from_file_location("vespeiro", _init, submodule_search_locations=[str(_init.parent)])
sys.modules["vespeiro"] = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(sys.modules["vespeiro"])

from vespeiro import (  # noqa: E402
    Failed, GaveUp, UsageError, all_of, behavior, get, grpc, post, think, think_between, think_briefly, think_long, wait,
)  # fmt: skip
from vespeiro.harness import in_turn, play  # noqa: E402
from vespeiro.unyielded import unyielded  # noqa: E402

ROUTES = {"query": ["GET /a/{x}/{y}", "GET /b"], "auth": ["POST /login", "POST /refresh", "POST /logout"]}
AUTH = {"login": "POST /login", "refresh": "POST /refresh", "logout": "POST /logout"}


def playing(journey, replies=(), **script):
    script.setdefault("otherwise", (200, {}))
    return play(behavior(name="test", version="0.0.0", routes=ROUTES, journey=journey, auth=AUTH), replies, **script)


def sizes(played):
    return [0 if isinstance(action, str) else len(action) for _, action in played.steps]


def delays(played):
    return [delay for delay, _ in played.steps]


FORGETFUL = """
from vespeiro import get, think, post as send
import other


def look(me):
    def shown():
        return get("/b")

    yield shown()


def plain():
    return [one for one in range(3)]


def journey(me):
    get("/a")
    yield get("/b")
    think()
    look(me)
    yield from look(me)
    send("/login")
    plain()
    other.get("/a")
    reply = get("/b")
    yield reply
"""


class Journeys(unittest.TestCase):
    def test_a_pause_and_what_follows_are_one_step(self):
        def journey(me):
            yield wait(30)
            yield wait(12)
            yield get("/b")
            yield think()
            yield get("/b")
            yield wait(5)

        played = playing(journey, pace=(700, 700))
        self.assertEqual((delays(played), sizes(played)), ([42, 700, 5], [1, 1, 0]))
        self.assertEqual(played.elapsed_ms, 42 + 1 + 700 + 1 + 5)

    def test_what_is_made_and_never_sent_is_found_with_its_line(self):
        self.assertEqual(
            unyielded(FORGETFUL, "behavior.py"),
            [
                "behavior.py:18: get(…) is made and never sent: write `yield get(…)`",
                "behavior.py:20: think(…) is made and never sent: write `yield think(…)`",
                "behavior.py:21: look(…) is a generator that nobody plays: write `yield from look(…)`",
                "behavior.py:23: send(…) is made and never sent: write `yield send(…)`",
            ],
        )

    def test_what_is_sent_together_is_one_step_and_comes_back_in_order(self):
        def later():
            yield wait(50)
            return (yield get("/a/{x}/{y}", {"x": 9, "y": 9}, query={"q": "a&b", "none": None})).json()

        def journey(me):
            replies = yield all_of(get("/a/{x}/{y}", {"x": x, "y": "ü /"}) for x in range(3))
            me.check("in order", [reply.json() for reply in replies] == [0, 1, 2])
            _, other = yield all_of([get("/b"), later()])
            me.check("what a generator returns", other == 3)
            me.check("nothing", (yield all_of([])) == [])

        numbers = iter(range(4))
        played = playing(journey, {"GET /a/{x}/{y}": lambda sent: (200, next(numbers))})
        self.assertEqual(played.ending, "completed", played.error)
        self.assertTrue(all(held for _, held in played.checks), played.checks)
        self.assertEqual(sizes(played), [3, 1, 1, 0])
        self.assertEqual(delays(played)[2], 49, "the other's pause began with the first request, which took 1 ms")
        self.assertEqual((played.paths[0], played.paths[-1]), ("/a/0/%C3%BC%20%2F", "/a/9/9?q=a%26b"))

    def test_pauses_keep_within_the_pace(self):
        def journey(me):
            for _ in range(100):
                for pause in (think(), think_long(), think_briefly(), think_between(10, 400)):
                    yield pause
                    yield get("/b")

        bounds = ((100, 2000), (1050, 2000), (100, 290), (100, 400))
        for at, delay in enumerate(delays(playing(journey))[:-1]):
            self.assertTrue(bounds[at % 4][0] <= delay <= bounds[at % 4][1], (at, delay))
        self.assertFalse(any(delays(playing(journey, pace=(0, 0)))))

    def test_empty_pauses_cannot_spin_and_long_ones_add_up_to_steps_of_an_hour_at_most(self):
        def empty(me):
            for _ in range(1000):
                yield think()

        def long(me):
            for _ in range(3):
                yield wait(2_000_000)

        self.assertTrue(10 < len(playing(empty, pace=(0, 0)).steps) < 20)
        played = playing(long)
        self.assertEqual((played.ending, played.elapsed_ms), ("completed", 6_000_000))

    def test_a_spent_budget_ends_the_session_quietly(self):
        def stubborn(me):
            while True:
                try:
                    yield get("/b")
                except GaveUp:
                    pass

        def batch(me):
            yield all_of(get("/b") for _ in range(5))

        played = playing(stubborn, budget=3)
        self.assertEqual((played.ending, len(played.requests)), ("abandoned", 3))
        played = playing(batch, budget=3)
        self.assertEqual((played.ending, sizes(played)), ("abandoned", [3, 0]))
        played = playing(stubborn, {"GET /b": "stopped"})
        self.assertEqual((played.ending, len(played.requests)), ("abandoned", 1))

    def test_errors_end_the_session_as_they_should(self):
        def insists(me):
            (yield get("/b")).expect(201).json()

        self.assertEqual(playing(insists).ending, "abandoned")
        self.assertEqual(playing(insists, otherwise="timeout").ending, "abandoned")
        odd = playing(insists, otherwise=201)
        self.assertEqual(odd.ending, "abandoned")
        self.assertTrue(odd.logs[0][1].startswith("GET /b: unexpected body: "), odd.logs)
        mistakes = {
            "is not among the behavior's routes": lambda: get("/nowhere"),
            "lacks an argument for {y}": lambda: get("/a/{x}/{y}", {"x": 1}),
            "yields requests": lambda: 7,
            "capture is body": lambda: get("/b", capture="all of it"),
            "no option boddy": lambda: get("/b", boddy="x"),
            "ZeroDivisionError": lambda: 1 / 0,
        }
        for words, wrong in mistakes.items():

            def mistaken(me):
                yield wrong()

            self.assertIn(words, playing(mistaken).error)

        def catches(me):
            try:
                yield get("/b")
            except Failed as failed:
                me.check("the kind", failed.kind == "reset")

        caught = playing(catches, otherwise="reset")
        self.assertEqual((caught.ending, caught.checks), ("completed", [("the kind", True)]))
        with self.assertRaisesRegex(UsageError, "has to be a generator"):
            behavior(name="x", version="1", routes=ROUTES, journey=lambda me: None)

    def test_choices_follow_their_weights_the_mix_and_the_seed(self):
        def journey(me):
            choices = [("q", 3, "query"), ("a", 1, "auth"), ("n", 0, "query")]
            drawn = [me.choose(choices) for _ in range(4000)]
            me.observe("q", drawn.count("q") / 4000)
            me.check("never", "n" not in drawn and me.pick([]) is None and me.weighted([("x", 0)]) is None)
            me.log([me.fake("name"), me.fake("bio"), me.fake("birth_date"), me.range(1, 6), me.chance(0.5), me.random()])
            yield wait(0)

        even = playing(journey)
        self.assertAlmostEqual(even.observed[0][1], 0.75, delta=0.03)
        self.assertLess(playing(journey, wanted={"auth": 6}).observed[0][1], 0.35)
        self.assertTrue(even.checks[0][1])
        self.assertEqual(playing(journey).logs, even.logs)
        self.assertNotEqual(playing(journey, seed=2).logs, even.logs)

    def test_tokens_log_in_once_renew_before_they_expire_and_survive_a_401(self):
        def grant(token):
            return 200, {"access_token": token, "refresh_token": f"{token}-again", "expires_in": 100}

        def bearers(played):
            return [dict(request.headers).get("authorization", "-") for request in played.requests]

        def renews(me):
            bearer = me.tokens("a@example.test", "secret")
            yield all_of([get("/b", bearer=bearer), get("/b", bearer=bearer)])
            yield wait(85_000)
            yield all_of([get("/b", bearer=bearer), get("/b", bearer=bearer)])
            yield from bearer.logout()
            yield from bearer.logout()
            me.check("out", not bearer.logged_in)

        expected = ["-", "Bearer one", "Bearer one", "-", "Bearer two", "Bearer two", "Bearer two"]
        played = playing(renews, {"POST /login": grant("one"), "POST /refresh": grant("two")})
        self.assertEqual((played.ending, bearers(played)), ("completed", expected), played.error)
        self.assertEqual(played.body(0), {"email": "a@example.test", "password": "secret"})
        self.assertEqual(played.body(3), {"refresh_token": "one-again"})

        def refused(me):
            bearer = me.tokens("a", "b")
            one, other = yield all_of([get("/b", bearer=bearer), get("/b", bearer=bearer)])
            me.check("both", one.ok and other.ok)
            yield get("/b", bearer=bearer, fault="bad-credentials")

        replies = {"POST /login": in_turn(grant("one"), grant("two")), "GET /b": in_turn(401, 401, 200, 200, 401)}
        played = playing(refused, replies)
        self.assertEqual((played.ending, bearers(played)), ("completed", expected), played.error)
        self.assertEqual(played.checks, [("both", True)])

    def test_tokens_of_a_lasting_account_are_marked_while_they_live(self):
        def grant(token):
            return 200, {"access_token": token, "refresh_token": f"{token}-again", "expires_in": 100}

        def journey(me):
            bearer = me.tokens("admin", "secret").lasting()
            yield from bearer.login()
            yield from bearer.refresh()
            yield from bearer.login()  # the session of the one before lives on
            yield get("/b", bearer=bearer)
            yield from bearer.logout()

        def marks(*tokens):
            return [f"token:Bearer {token}" for token in tokens]

        for status, left in ((204, marks("two")), (401, marks("two")), (503, marks("two", "four"))):
            replies = {
                "POST /login": in_turn(grant("one"), grant("three"), grant("four")),
                "POST /refresh": grant("two"),
                "GET /b": in_turn(401, 200),
                "POST /logout": status,
            }
            played = playing(journey, replies)
            self.assertEqual(played.ending, "completed" if status == 204 else "abandoned", played.error)
            self.assertEqual(played.marks, marks("one", "two", "three", "four"))
            self.assertEqual(played.left_behind, left, status)

        def own(me):
            yield from me.tokens("a", "b").login()

        self.assertEqual(playing(own, {"POST /login": grant("one")}).marks, [])

    def test_a_token_that_is_granted_anew_keeps_its_mark_until_it_is_logged_out(self):
        grant = 200, {"access_token": "one", "refresh_token": "again", "expires_in": 100}

        def journey(me):
            bearer = me.tokens("admin", "secret").lasting()
            yield from bearer.login()
            yield from bearer.refresh()
            yield from bearer.logout()

        for status, stays in ((204, False), (503, True)):
            played = playing(journey, {"POST /login": grant, "POST /refresh": grant, "POST /logout": status})
            self.assertEqual(bool(played.left_behind), stays, status)

    def test_a_cleanup_logs_out_the_tokens_among_its_marks_and_gets_the_others(self):
        def nothing(me):
            yield wait(0)

        def tidy(me):
            me.check(",".join((yield from me.log_out_marked())), True)

        tested = behavior(name="test", version="0.0.0", routes=ROUTES, journey=nothing, cleanup=tidy, auth=AUTH)
        marks = ["user:a", *(f"token:Bearer {token}" for token in "abcde"), "role:b"]
        played = play(tested, {"POST /logout": in_turn(204, 503, 401, 429, "timeout")}, cleanup=marks)
        self.assertEqual(played.ending, "completed", played.error)
        self.assertEqual(played.checks, [("user:a,role:b", True)])
        self.assertEqual(sizes(played), [5, 0], "they go together")
        self.assertEqual(played.requests[3].headers, [("authorization", "Bearer d")])
        self.assertEqual(played.unmarks, ["token:Bearer a", "token:Bearer c"])
        self.assertEqual([level for level, _ in played.logs], ["warn", "debug", "warn"])
        self.assertFalse(any("Bearer" in line for _, line in played.logs))

    def test_marks_faults_feeds_and_bodies_reach_the_host_as_they_are(self):
        def journey(me):
            fault = me.fault()
            json = {"name": "João ✓"}
            yield post("/login", json=json, mark="user:x", fault=fault, timeout_ms=50, category="query")
            me.unmark("user:x")
            me.mark("role:y")
            me.check("taken once", fault == "not-found" and me.fault() is None)
            me.check("a feed", [me.feed("rows")["n"] for _ in range(3)] == [1, 2, 1] and me.feed("no") is None)

        played = playing(journey, faults=["not-found"], feeds={"rows": [{"n": 1}, {"n": 2}]})
        self.assertEqual(played.checks, [("taken once", True), ("a feed", True)])
        self.assertEqual(played.left_behind, ["role:y"])
        self.assertEqual(played.body(0), {"name": "João ✓"})
        sent = played.requests[0]
        self.assertEqual(
            (sent.timeout_ms, sent.category, sent.fault, sent.headers),
            (50, "query", "not-found", [("content-type", "application/json")]),
        )

    def test_a_grpc_call_has_a_message_and_a_code(self):
        find = "GRPC /shop.v1.Catalog/Find"

        def journey(me):
            found = yield grpc("/shop.v1.Catalog/Find", b"\x08\x01", expect=["NOT_FOUND", "OK"])
            me.check("found", found.expect().body == b"\x08\x02" and found.ok)
            none = (yield grpc("/shop.v1.Catalog/Find")).expect("NOT_FOUND")
            me.check("none", not none.ok and none.grpc.message == "no such thing")
            (yield grpc("/shop.v1.Catalog/Find")).expect()

        def wrong(me):
            yield grpc("/shop.v1.Catalog/Find", expect="GONE")

        def shop(journey):
            answers = {find: in_turn(b"\x08\x02", ("NOT_FOUND", "no such thing"))}
            return play(behavior(name="test", version="0.0.0", routes={"query": [find]}, journey=journey), answers)

        played = shop(journey)
        self.assertEqual(played.checks, [("found", True), ("none", True)])
        self.assertEqual(played.requests[0].expect, [5])
        self.assertEqual((played.ending, played.requests[0].body), ("abandoned", b"\x08\x01"))
        self.assertIn("'GONE' is no code of gRPC", shop(wrong).error)


if __name__ == "__main__":
    unittest.main()
