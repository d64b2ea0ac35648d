"""How gRPC calls end: the names of their codes, and what a reply says of them. Messages are bytes."""

from typing import NamedTuple

from .errors import UsageError

#: By their numbers.
CODES = (
    "OK", "CANCELLED", "UNKNOWN", "INVALID_ARGUMENT", "DEADLINE_EXCEEDED", "NOT_FOUND", "ALREADY_EXISTS", "PERMISSION_DENIED",
    "RESOURCE_EXHAUSTED", "FAILED_PRECONDITION", "ABORTED", "OUT_OF_RANGE", "UNIMPLEMENTED", "INTERNAL", "UNAVAILABLE", "DATA_LOSS",
    "UNAUTHENTICATED",
)  # fmt: skip


class Status(NamedTuple):
    """How a call has ended: the name of its code, the target's words, and metadata where headers are captured."""

    code: str
    message: str
    trailers: list


def status_of(number, message, trailers):
    """What the host tells, with the code's name."""
    return Status(CODES[number] if number < len(CODES) else "UNKNOWN", message, trailers)


def number_of(line, name):
    """The number of a code."""
    if name not in CODES:
        raise UsageError(f"{line}: {name!r} is no code of gRPC: there are {', '.join(CODES)}")
    return CODES.index(name)
