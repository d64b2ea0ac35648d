"""An administrator who logs in, looks around, and adds, edits and removes a user; and the cleanup after a run.
`./build` makes a module of it.
"""

from vespeiro import ConfigError, all_of, behavior, delete, get, post, put, think, think_long


def journey(me):
    bearer = administrator(me)
    yield from bearer.login()
    for page in range(1, me.range(1, 3) + 1):
        yield think()
        people = yield get("/api/v1/users", query={"page": page, "per_page": 20}, bearer=bearer)
        me.observe("people on a page", len(people.expect(200).json()["data"]))
    yield from mistake(me, bearer)

    yield think_long()
    username = f"sim_user_{me.run}_{me.user.index}_{me.ordinal * 1000}"
    mark = f"user:{username}"
    email = f"{username}@simulation.test"
    json = {"username": username, "email": email, "password": "SimPass123!", "name": me.fake("name")}
    created = yield post("/api/v1/users", json=json, bearer=bearer, mark=mark)
    id = created.expect(201).json()["data"]["id"]

    yield think_long()
    renamed = me.fake("name")
    reply = yield put("/api/v1/users/{id}", {"id": id}, json={"name": renamed}, bearer=bearer)
    reply.expect(200)
    read, roles = yield all_of([
        get("/api/v1/users/{id}", {"id": id}, bearer=bearer),
        get("/api/v1/users/{userId}/roles", {"userId": id}, bearer=bearer, capture="nothing"),
    ])
    roles.expect(200)
    me.check("a new name reads as written", read.expect(200).json()["data"]["name"] == renamed)

    yield think()
    reply = yield put("/api/v1/users/{id}/deactivate", {"id": id}, bearer=bearer, capture="nothing")
    reply.expect(200)
    yield think()
    reply = yield delete("/api/v1/users/{id}", {"id": id}, bearer=bearer, capture="nothing")
    reply.expect(204)
    me.unmark(mark)
    yield from bearer.logout()


def cleanup(me):
    """Logs out what sessions could not, then removes the users that they have left behind, a few at a time."""
    bearer = administrator(me)
    marks = yield from me.log_out_marked()
    names = [mark.removeprefix("user:") for mark in marks if mark.startswith("user:")]
    for at in range(0, len(names), 8):
        yield all_of(remove(me, bearer, name) for name in names[at : at + 8])
    yield from bearer.logout()


def remove(me, bearer, username):
    found = yield get("/api/v1/users/username/{username}", {"username": username}, bearer=bearer)
    if found.ok:
        id = found.json()["data"]["id"]
        reply = yield delete("/api/v1/users/{id}", {"id": id}, bearer=bearer, capture="nothing")
        reply.expect(204, 404)
    if found.ok or found.status == 404:
        me.unmark(f"user:{username}")


def mistake(me, bearer):
    """A wrong request, when the run's error mix asks for one."""
    fault = me.fault()
    if fault == "not-found":
        yield get("/api/v1/users/{id}", {"id": "nobody"}, bearer=bearer, fault=fault)
    elif fault == "invalid-data":
        yield post("/api/v1/users", json={"username": ""}, bearer=bearer, fault=fault)


def administrator(me):
    admin = me.config.get("admin")
    if admin is None:
        raise ConfigError('`admin` is missing: give the archetype\'s config `admin = { email = "…", password = "…" }`')
    return me.tokens(admin["email"], admin["password"]).lasting()


BEHAVIOR = behavior(
    name="my-behavior",
    version="0.1.0",
    routes={
        "auth": ["POST /api/v1/auth/login", "POST /api/v1/auth/refresh", "POST /api/v1/auth/logout"],
        "user-query": ["GET /api/v1/users", "GET /api/v1/users/{id}", "GET /api/v1/users/username/{username}"],
        "user-mutation": ["POST /api/v1/users", "PUT /api/v1/users/{id}"],
        "role-permission": ["GET /api/v1/users/{userId}/roles"],
        "admin": ["PUT /api/v1/users/{id}/deactivate", "DELETE /api/v1/users/{id}"],
    },
    auth={
        "login": "POST /api/v1/auth/login",
        "refresh": "POST /api/v1/auth/refresh",
        "logout": "POST /api/v1/auth/logout",
    },
    journey=journey,
    cleanup=cleanup,
)
