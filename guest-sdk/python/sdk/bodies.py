"""What a request carries: bytes, files of the plan, and multipart forms (RFC 7578). Nothing that a field is called or holds can
leave its part.
"""

from .errors import UsageError

BINARY = "application/octet-stream"


class PlanFile:
    """One of the plan's `[files]`: the host sends it, and the journey never sees it."""

    __slots__ = ("name", "as_", "type")

    def __init__(self, name, as_, type):
        self.name = name
        self.as_ = as_
        self.type = type


def file(name, *, as_=None, type=BINARY):
    """One of the plan's `[files]`, by its name: as a `body`, or as a field of a `multipart` form. There the target is told the
    name `as_` and the content type `type`: by default the plan's name, and that of any bytes."""
    if not isinstance(name, str):
        raise UsageError(f"file takes a name of the plan's [files], and not {name!r}")
    return PlanFile(name, name if as_ is None else as_, type)


def body_of(line, body):
    """A body: None, bytes, or a list of pieces, each of which is bytes or a file."""
    if body is None or isinstance(body, bytes):
        return body
    if isinstance(body, str):
        return body.encode()
    if isinstance(body, (bytearray, memoryview)):
        return bytes(body)
    if isinstance(body, PlanFile):
        return [body]
    raise UsageError(f"{line}: body is a text, bytes or a file of the plan: for anything else there are json, form and multipart")


def multipart_of(line, form, chance):
    """A multipart form, with its content type. Nobody who has written a field or a file knows `chance`."""
    boundary = f"vespeiro-{chance:016x}"
    pieces = [b""]
    for name, value in form.items():
        for one in value if isinstance(value, (list, tuple)) else (value,):
            if one is None:
                continue
            head = f'--{boundary}\r\nContent-Disposition: form-data; name="{_quoted(name)}"'
            if isinstance(one, (bytes, PlanFile)):
                told, type = (one.as_, one.type) if isinstance(one, PlanFile) else (name, BINARY)
                head += f'; filename="{_quoted(told)}"\r\nContent-Type: {_quoted(type)}'
            elif isinstance(one, (dict, list, tuple, set)):
                raise UsageError(f"{line}: the field {name} of a form is a text, a number, bytes, a file, or a list of them")
            pieces[-1] += f"{head}\r\n\r\n".encode()
            if isinstance(one, PlanFile):
                pieces += [one, b""]
            else:
                pieces[-1] += one if isinstance(one, bytes) else str(one).encode()
            pieces[-1] += b"\r\n"
    pieces[-1] += f"--{boundary}--\r\n".encode()
    return pieces[0] if len(pieces) == 1 else pieces, f"multipart/form-data; boundary={boundary}"


def _quoted(text):
    """What the HTML standard escapes in a name."""
    return str(text).replace('"', "%22").replace("\r", "%0D").replace("\n", "%0A")


def shown(body):
    """A body's bytes, for a harness: a file of the plan stands in them as `(file NAME)`."""
    if not isinstance(body, list):
        return body
    return b"".join(f"(file {one.name})".encode() if isinstance(one, PlanFile) else one for one in body)
