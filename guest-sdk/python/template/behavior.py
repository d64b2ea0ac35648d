"""Someone who logs in, looks around and changes their own name. `./build` makes a module of it."""

from vespeiro import all_of, behavior, get, post, put, think, think_long


def journey(me):
    user = me.user
    if me.ordinal == 0:
        yield think_long()
        json = {"username": user.username, "email": user.email, "password": user.password, "name": user.name}
        registered = yield post("/api/v1/users", json=json, mark=f"user:{user.username}")
        registered.expect(200, 201, 409)
    yield think()
    bearer = me.tokens(user.email, user.password)
    login = yield from bearer.login()
    id = login.json()["data"]["user"]["id"]

    for page in range(1, me.range(1, 3) + 1):
        yield think()
        people = yield get("/api/v1/users", query={"page": page, "per_page": 10}, bearer=bearer)
        me.observe("people on a page", len(people.expect(200).json()["data"]))
    yield from mistake(me, id, bearer)
    yield think()
    mine, _ = yield all_of([
        get("/api/v1/users/{id}", {"id": id}, bearer=bearer),
        get("/api/v1/users/{userId}/roles", {"userId": id}, bearer=bearer, capture="nothing"),
    ])
    mine.expect(200)

    yield think_long()
    renamed = me.fake("name")
    reply = yield put("/api/v1/users/{id}", {"id": id}, json={"name": renamed}, bearer=bearer)
    reply.expect(200)
    read = yield get("/api/v1/users/{id}", {"id": id}, bearer=bearer)
    me.check("a new name reads as written", read.expect(200).json()["data"]["name"] == renamed)
    yield from bearer.logout()


def mistake(me, id, bearer):
    """A wrong request, when the run's error mix asks for one."""
    fault = me.fault()
    if fault == "not-found":
        yield get("/api/v1/users/{id}", {"id": "nobody"}, bearer=bearer, fault=fault)
    elif fault == "invalid-data":
        yield put("/api/v1/users/{id}", {"id": id}, json={"name": ""}, bearer=bearer, fault=fault)
    elif fault == "bad-credentials":
        json = {"email": me.user.email, "password": "not-the-password-1"}
        yield post("/api/v1/auth/login", json=json, fault=fault)


BEHAVIOR = behavior(
    name="my-behavior",
    version="0.1.0",
    routes={
        "auth": ["POST /api/v1/auth/login", "POST /api/v1/auth/refresh", "POST /api/v1/auth/logout"],
        "user-query": ["GET /api/v1/users", "GET /api/v1/users/{id}"],
        "user-mutation": ["POST /api/v1/users", "PUT /api/v1/users/{id}"],
        "role-permission": ["GET /api/v1/users/{userId}/roles"],
    },
    auth={
        "login": "POST /api/v1/auth/login",
        "refresh": "POST /api/v1/auth/refresh",
        "logout": "POST /api/v1/auth/logout",
    },
    journey=journey,
)
