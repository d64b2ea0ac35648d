"""The types of the SDK, for editors. A journey is a generator: what it yields is what the person does, what comes back is the reply.
No checker can tell which reply a `yield` gives: write it down, `reply: Reply = yield get("/items")`.
"""

from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from typing import Any, Literal, NamedTuple, TypeVar

T = TypeVar("T")

Failure = Literal[
    "timeout", "connect", "tls", "reset", "protocol", "too-large", "redirects", "unprocessed", "channel", "generator", "circuit-open", "stopped"
]
Fault = Literal["bad-credentials", "forbidden", "invalid-data", "not-found", "rate-limit"]
Capture = Literal["body", "headers", "all", "nothing"]
Code = Literal[
    "OK", "CANCELLED", "UNKNOWN", "INVALID_ARGUMENT", "DEADLINE_EXCEEDED", "NOT_FOUND", "ALREADY_EXISTS", "PERMISSION_DENIED",
    "RESOURCE_EXHAUSTED", "FAILED_PRECONDITION", "ABORTED", "OUT_OF_RANGE", "UNIMPLEMENTED", "INTERNAL", "UNAVAILABLE", "DATA_LOSS",
    "UNAUTHENTICATED",
]
Parameter = str | int | float | bool | None
Parameters = Mapping[str, Parameter | Sequence[Parameter]]
Part = Parameter | bytes | PlanFile
#: What a journey, and each generator that it delegates to with `yield from`, is.
Steps = Generator[Any, Any, T]

class Wanted:
    """Something to be yielded: a request, a pause, several things together, or what is done with a channel."""

class PlanFile:
    name: str
    as_: str
    type: str

def file(name: str, *, as_: str | None = None, type: str = ...) -> PlanFile:
    """One of the plan's `[files]`: as a `body`, or as a field of a `multipart` form."""

def _request(
    route: str,
    /,
    args: Mapping[str, Any] | None = None,
    *,
    query: Parameters = ...,
    json: Any = ...,
    form: Parameters = ...,
    multipart: Mapping[str, Part | Sequence[Part]] = ...,
    body: str | bytes | PlanFile | None = ...,
    headers: Mapping[str, str] = ...,
    bearer: Tokens | str = ...,
    mark: str = ...,
    fault: Fault = ...,
    category: str = ...,
    timeout_ms: int = ...,
    capture: Capture = ...,
    expect: int | Iterable[int] = ...,
    path: str = ...,
) -> Wanted: ...

get = head = post = put = patch = delete = options = _request

def grpc(
    path: str,
    message: bytes = b"",
    /,
    *,
    headers: Mapping[str, str] = ...,
    bearer: Tokens | str = ...,
    mark: str = ...,
    category: str = ...,
    timeout_ms: int = ...,
    capture: Capture = ...,
    expect: Code | Iterable[Code] = ...,
    **others: Any,
) -> Wanted:
    """A call of a method of gRPC that is declared as `GRPC /package.Service/Method`."""

def open_channel(protocol: Literal["websocket", "event-stream"], path: str, /, args: Mapping[str, Any] | None = None, **options: Any) -> Wanted:
    """Open a WebSocket or a stream of events; gives a `Channel`."""

def all_of(items: Iterable[Wanted | Steps[Any]]) -> Wanted:
    """All at the same time; gives the list of what they return."""

def think() -> Wanted: ...
def think_long() -> Wanted: ...
def think_briefly() -> Wanted: ...
def think_between(least: float, most: float) -> Wanted: ...
def wait(millis: float) -> Wanted: ...

class Status(NamedTuple):
    code: str
    message: str
    trailers: Sequence[tuple[str, str]]

class Reply:
    line: str
    capture: Capture
    #: HTTP status code.
    status: int
    body: bytes
    headers: Sequence[tuple[str, str]]
    latency_us: int
    #: Of a gRPC call.
    grpc: Status | None
    @property
    def ok(self) -> bool: ...
    def expect(self, *statuses: int | str) -> Reply: ...
    def text(self) -> str: ...
    def json(self) -> Any: ...
    def header(self, name: str) -> str | None: ...

class Message:
    line: str
    content: str | bytes
    event: str
    id: str
    at_us: int
    def text(self) -> str: ...
    def json(self) -> Any: ...

class Channel:
    line: str
    status: int
    headers: Sequence[tuple[str, str]]
    latency_us: int
    ended: bool
    dropped: int
    def send(self, content: str | bytes) -> Wanted: ...
    def send_json(self, value: Any) -> Wanted: ...
    def end(self) -> Wanted: ...
    def receive(self, within_ms: int, at_most: int = 1) -> Wanted: ...
    def close(self) -> Wanted: ...

class Tokens:
    def lasting(self) -> Tokens: ...
    @property
    def logged_in(self) -> bool: ...
    def login(self) -> Steps[Any]: ...
    def refresh(self) -> Steps[Any]: ...
    def logout(self) -> Steps[Any]: ...

class User:
    index: int
    seed: int
    username: str
    email: str
    password: str
    name: str

class Me:
    user: User
    #: How many sessions this user has begun before.
    ordinal: int
    #: The run's id.
    run: str
    #: Of a cleanup: what is to be removed.
    marks: Sequence[str]
    @property
    def config(self) -> Any: ...
    @property
    def pace(self) -> tuple[int, int]: ...
    @property
    def elapsed_ms(self) -> int: ...
    @property
    def requests_left(self) -> int: ...
    @property
    def shared(self) -> Any: ...
    def tokens(self, name: str, password: str) -> Tokens: ...
    def log_out_marked(self) -> Steps[list[str]]: ...
    def wanted(self, category: str) -> float: ...
    def fault(self) -> str | None: ...
    def check(self, name: str, passed: object) -> bool: ...
    def observe(self, metric: str, value: float) -> None: ...
    def begin(self, transaction: str) -> None: ...
    def end(self, transaction: str, passed: bool = True) -> None: ...
    def transaction(self, name: str, steps: Steps[T]) -> Steps[T]: ...
    def share(self, value: Any) -> None: ...
    def remember(self, notes: Any) -> None: ...
    def remembered(self) -> Any: ...
    def secret(self, name: str) -> str | None: ...
    def mark(self, thing: str) -> None: ...
    def unmark(self, thing: str) -> None: ...
    def log(self, message: str, level: Literal["debug", "info", "warn", "error"] = "info") -> None: ...
    def feed(self, name: str) -> Any: ...
    def random(self) -> float: ...
    def range(self, least: int, most: int) -> int: ...
    def chance(self, probability: float) -> bool: ...
    def pick(self, items: Sequence[T]) -> T | None: ...
    def weighted(self, pairs: Iterable[tuple[T, float]]) -> T: ...
    def choose(self, choices: Iterable[tuple[T, float, str]]) -> T: ...
    def fake(self, kind: Literal["name", "city", "bio", "phone", "website", "birth_date", "search"]) -> str: ...

class GaveUp(Exception): ...

class Failed(GaveUp):
    kind: str
    def __init__(self, route: str, kind: str) -> None: ...

class UnexpectedStatus(GaveUp):
    status: int | str
    def __init__(self, route: str, status: int | str) -> None: ...

class UnexpectedBody(GaveUp):
    def __init__(self, route: str, message: object) -> None: ...

class ConfigError(Exception): ...
class UsageError(Exception): ...
class Behavior: ...

def behavior(
    *,
    name: str,
    version: str,
    routes: Mapping[str, Sequence[str]],
    journey: Callable[[Me], Steps[Any]],
    cleanup: Callable[[Me], Steps[Any]] | None = None,
    prepare: Callable[[Me], Steps[Any]] | None = None,
    teardown: Callable[[Me], Steps[Any]] | None = None,
    auth: Mapping[str, Any] | None = None,
) -> Behavior: ...
