"""What one person does, top to bottom. `./build` makes a module of it."""

from vespeiro import behavior, get, think


def journey(me):
    health = yield get("/health")
    me.check("the service is up", health.status == 200)
    yield think()


BEHAVIOR = behavior(
    name="my-behavior",
    version="0.1.0",
    routes={"monitoring": ["GET /health"]},
    journey=journey,
)
