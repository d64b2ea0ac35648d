"""What the contract 0.2 has, through the harness: channels, transactions, notes, what is done once, secrets, further targets."""

import unittest

import test_journeys  # noqa: F401 it makes the package `vespeiro` of the SDK's folder

from vespeiro import Failed, GaveUp, all_of, behavior, file, get, grpc, open_channel, post
from vespeiro.harness import in_turn, play

ROUTES = {"talk": ["GET /chat", "GET /events", "GET /b"], "auth": ["POST /login"]}


def playing(journey, replies=(), **script):
    starts = {name: script.pop(name) for name in ("prepare", "teardown") if name in script}
    auth = {"login": "POST /login"}
    return play(behavior(name="test", version="0.0.0", routes=ROUTES, journey=journey, auth=auth, **starts), replies, **script)


class Channels(unittest.TestCase):
    def test_what_is_said_over_a_websocket_comes_back(self):
        def journey(me):
            chat = yield open_channel("websocket", "/chat", headers={"x-room": "1"})
            yield chat.send("João ✓")
            _, reply, (answer,) = yield all_of([chat.send(b"\x01\x02"), get("/b"), chat.receive(50)])
            me.check("text", answer.text() == "João ✓" and reply.ok)
            (answer,) = yield chat.receive(50)
            me.check("bytes", answer.content == b"\x01\x02")
            yield chat.send_json({"n": 1})
            yield chat.end()
            rest = yield chat.receive(50, at_most=10)
            me.check("the rest, and its end", [one.json() for one in rest] == [{"n": 1}] and chat.ended)
            me.check("nothing after", (yield chat.receive(50)) == [])
            yield chat.close()

        played = playing(journey, {"GET /chat": 101, "GET /b": 200})
        self.assertEqual((played.ending, played.error), ("completed", None))
        self.assertEqual(played.checks, [(name, True) for name in ("text", "bytes", "the rest, and its end", "nothing after")])
        self.assertEqual(played.messages, [("GET /chat", "João ✓"), ("GET /chat", b"\x01\x02"), ("GET /chat", '{"n":1}')])
        self.assertEqual([len(action) for _, action in played.steps[:3]], [1, 1, 3])
        self.assertEqual(played.requests[0].headers, [("x-room", "1")])

    def test_a_stream_gives_what_is_scripted_and_waits_for_what_is_not(self):
        def journey(me):
            events = yield open_channel("event-stream", "/events")
            me.check("two", [one.text() for one in (yield events.receive(1000, 2))] == ["a", "b"])
            me.check("none", (yield events.receive(700)) == [] and not events.ended)
            yield events.send("x")

        played = playing(journey, messages={"GET /events": ["a", "b"]})
        self.assertEqual(played.checks, [("two", True), ("none", True)], played.error)
        self.assertEqual((played.elapsed_ms, played.error), (701, "an event stream takes no messages"))

    def test_an_answer_that_opens_none_ends_the_visit_and_a_refused_token_logs_in_again(self):
        def journey(me):
            chat = yield open_channel("websocket", "/chat", bearer=me.tokens("a", "b"))
            me.check("open", chat.status == 101)

        grant = (200, {"access_token": "one", "expires_in": 100})
        played = playing(journey, {"POST /login": grant, "GET /chat": 403})
        self.assertEqual((played.ending, played.gave_up[0]), ("abandoned", "GET /chat: unexpected status 403"))
        played = playing(journey, {"POST /login": grant, "GET /chat": in_turn(401, 101)})
        self.assertEqual((played.ending, len(played.routes)), ("completed", 4), played.error)
        played = playing(journey, {"POST /login": grant, "GET /chat": "connect"})
        self.assertEqual(played.gave_up[0], "GET /chat: no response: connect")

    def test_what_cannot_be_done_is_said_where_it_is_written(self):
        def failing(use):
            def journey(me):
                chat = yield open_channel("websocket", "/chat")
                yield chat.close()
                yield use(chat)

            return playing(journey, otherwise=101).error

        for words, use in {
            "GET /chat: send: the channel is closed": lambda chat: chat.send("again"),
            "receive(within_ms) takes 0 to": lambda chat: chat.receive(-1),
            "takes 1 to 256": lambda chat: chat.receive(1, 0),
            "a message is a str or bytes": lambda chat: chat.send({}),
            "open_channel takes websocket or event-stream": lambda _: open_channel("/chat", "/chat"),
        }.items():
            self.assertIn(words, failing(use))


class Contract(unittest.TestCase):
    def test_a_call_of_grpc_has_its_message_and_its_method_and_no_others(self):
        for name in ("query", "json", "form", "multipart", "body", "path"):
            with self.assertRaisesRegex(TypeError, f"has no {name}"):
                grpc("/shop.v1.Catalog/Find", b"\x08\x01", **{name: {}})

    def test_a_transaction_passes_with_its_steps(self):
        def read():
            return (yield get("/b")).expect(200)

        def journey(me):
            me.begin("visit")
            reply = yield from me.transaction("read", read())
            me.check("what its steps give", reply.status == 200)
            try:
                yield from me.transaction("read again", read())
            except GaveUp:
                me.end("visit", False)
            me.begin("left open")

        played = playing(journey, {"GET /b": in_turn(200, 503)})
        self.assertEqual(played.transactions, [("visit", False), ("read", True), ("read again", False), ("left open", None)])

        def wrong(me):
            me.end("visit")
            yield get("/b")

        self.assertIn("the transaction visit is not open", playing(wrong, otherwise=200).error)

    def test_a_user_remembers_and_says_why_and_where_it_gives_up(self):
        def journey(me):
            visits = me.remembered() or 0
            me.remember(visits + 1)
            if visits == 3:
                raise GaveUp("three times is enough")
            (yield get("/b")).expect(200)

        first = playing(journey, otherwise=503)
        line = journey.__code__.co_firstlineno + 5
        self.assertEqual((first.remembered, first.gave_up), (1, ("GET /b: unexpected status 503", f"test_contract.py:{line}")))
        self.assertEqual(playing(journey, remembered=3).gave_up[0], "three times is enough")

        def too_much(me):
            me.remember("x" * 5000)
            yield get("/b")

        self.assertIn("notes of 5002 bytes are over the 4096 that are allowed", playing(too_much, otherwise=200).error)

    def test_what_is_prepared_is_there_in_sessions(self):
        def prepare(me):
            me.share({"id": (yield get("/b")).status})

        def journey(me):
            me.check("prepared", me.shared == {"id": 200})
            yield get("/b")

        shared = playing(journey, otherwise=200, prepare=prepare, once="prepare").shared
        self.assertEqual(playing(journey, otherwise=200, shared=shared).checks, [("prepared", True)])
        nothing = playing(journey, once="teardown")
        self.assertEqual((nothing.ending, nothing.requests), ("completed", []))

    def test_targets_links_secrets_forms_and_expected_statuses_go_as_the_contract_has_them(self):
        def journey(me):
            key = {"x-key": me.secret("api-key")}
            (yield get("billing:/invoices/{id}", {"id": 7}, headers=key, expect=[200, 404], bearer="mine")).expect(404)
            yield get("/items", path="http://127.0.0.1:1/next?page=2", query={"sort": ["a", "b"]})
            yield post("/in", form={"name": "ana b", "none": None})

        routes = {
            "auth": ["POST /login", "POST /auth/logout", "GET /auth/me"],
            "billing": ["GET billing:/invoices/{id}", "GET /items", "POST /in"],
        }
        visit = behavior(name="visit", version="1.0.0", routes=routes, journey=journey)
        played = play(visit, otherwise=(404, {}), secrets={"api-key": "k3yvault"})
        self.assertEqual(played.error, None)
        self.assertEqual(played.routes, ["GET billing:/invoices/{id}", "GET /items", "POST /in"])
        self.assertEqual(played.paths[:2], ["/invoices/7", "http://127.0.0.1:1/next?page=2&sort=a&sort=b"])
        self.assertEqual([(sent.place, sent.expect) for sent in played.requests], [(3, [404]), (4, []), (5, [])])
        self.assertEqual(played.requests[0].headers, [("x-key", "k3yvault"), ("authorization", "Bearer mine")])
        self.assertEqual(played.requests[2].body, b"name=ana%20b")
        kinds = [route.kind(visit.auth) for route in visit.table.values()]
        self.assertEqual(kinds, ["login", "logout", "plain", "plain", "plain", "plain"])
        self.assertIn("the plan has no secret api-key", play(visit, otherwise=200).error)

    def test_a_failure_that_the_sdk_does_not_know_has_the_word_of_the_host(self):
        def journey(me):
            for _ in range(2):
                try:
                    yield get("/b")
                except Failed as failed:
                    me.log(failed.kind)

        self.assertEqual(playing(journey, {"GET /b": in_turn("redirects", "headers")}).logs, [("info", "redirects"), ("info", "headers")])


class Bodies(unittest.TestCase):
    def test_a_file_of_the_plan_is_a_body_and_a_form_is_made_of_parts_around_files(self):
        def journey(me):
            yield post("/login", body=file("photo"), headers={"content-type": "image/png"})
            cv = file("cv", as_='my "cv".pdf', type="application/pdf")
            yield post("/login", multipart={'na"me': "Ana", "tag": ["a", 2], "none": None, "cv": cv, "raw": b"hi"})
            yield post("/login", multipart={"a": "ç"})

        played = playing(journey, {"POST /login": 200})
        self.assertEqual(played.error, None)
        whole, form, plain = played.requests
        self.assertEqual((whole.body, whole.headers), (b"(file photo)", [("content-type", "image/png")]))
        [(_, told)] = form.headers
        boundary = told.removeprefix("multipart/form-data; boundary=")
        self.assertRegex(boundary, "^vespeiro-[0-9a-f]{16}$")
        part = "Content-Disposition: form-data; name="
        lines = [
            f"--{boundary}", f'{part}"na%22me"', "", "Ana",
            f"--{boundary}", f'{part}"tag"', "", "a",
            f"--{boundary}", f'{part}"tag"', "", "2",
            f"--{boundary}", f'{part}"cv"; filename="my %22cv%22.pdf"', "Content-Type: application/pdf", "", "(file cv)",
            f"--{boundary}", f'{part}"raw"; filename="raw"', "Content-Type: application/octet-stream", "", "hi",
            f"--{boundary}--", "",
        ]  # fmt: skip
        self.assertEqual(form.body.decode(), "\r\n".join(lines))
        self.assertIn("\r\n\r\nç\r\n", plain.body.decode())

        def odd(me):
            yield post("/login", body=[b"a"])

        self.assertIn("body is a text, bytes or a file of the plan", playing(odd).error)
