"""Talks over channels, and does once and remembers what the contract has: played by main.rs."""

from vespeiro import all_of, behavior, get, open_channel


def prepare(me):
    me.share({"from": "prepare"})
    yield get("/b", expect=404)


def journey(me):
    visits = me.remembered() or 0
    me.remember(visits + 1)
    me.check("what was shared", me.shared == {"from": "prepare"})
    me.check("what was remembered", visits == me.ordinal)
    chat = yield open_channel("websocket", "/chat")
    for n in range(4):
        text = f"{me.user.username} disse “não” {n}"
        said = text if n % 2 == 0 else text.encode()
        _, (answer,) = yield all_of([chat.send(said), chat.receive(10_000)])
        me.check("the answer is what was said", answer.content == said)
    yield chat.close()
    events = yield open_channel("event-stream", "/events")
    told = yield events.receive(10_000, at_most=10)
    me.check("the stream tells all", [one.text() for one in told] == ["one", '{"n":2}', "ção"] and events.ended)
    me.check("names and ids", told[1].event == "note" and told[1].id == "7" and told[1].json()["n"] == 2)
    reply = yield from me.transaction("look", look())
    me.check("a status that is no error", reply.status == 404)


def look():
    return (yield get("/b", expect=404))


BEHAVIOR = behavior(name="talker", version="1.0.0", routes={"talk": ["GET /chat", "GET /events", "GET /b"]}, journey=journey,
                    prepare=prepare)
