"""Does what Python people do without a thought: played by main.rs, which knows its line of the late import."""

import datetime
import hashlib
import hmac
import random
import secrets
import time
import uuid
import warnings

from vespeiro import behavior, get


def journey(me):
    signed = hmac.new(b"Jefe", b"what do ya want for nothing?", hashlib.sha256).hexdigest()
    me.check("digests", signed == "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843")
    day = datetime.datetime.strptime("2026-01-02", "%Y-%m-%d")
    now = datetime.datetime.now()
    me.check("dates", day.day == 2 and time.strftime("%Y", time.gmtime(0)) == "1970" and now.timestamp() == time.time())
    me.check("codecs", "é".encode("latin-1") == b"\xe9" and "bücher".encode("idna") == b"xn--bcher-kva")
    print("drawn", uuid.uuid4(), secrets.token_hex(4), random.Random().random(), random.random())
    warnings.warn("careful")
    yield get("/health", headers={"x-signature": signed})
    try:
        with open("people.csv") as file:
            me.check("a file is an error", file.read() == "no")
    except OSError:
        me.check("a file is an error", True)
    yield from late()


def late():
    yield get("/health")
    # No module can be imported from a file any more.
    import colorsys  # noqa: F401


BEHAVIOR = behavior(name="ordinary", version="1.0.0", routes={"watch": ["GET /health"]}, journey=journey)
