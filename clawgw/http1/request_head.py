"""What the head of an HTTP/1.1 request says, and which heads are taken.

Pure. llhttp has taken the head already, which settles what a line and a field are; what is refused here is what it
takes and h11, or a proxy in front, reads in another way (RFC 9112, sections 2.2, 3, 3.2, 6.1 and 11.2).
"""

import re
from functools import lru_cache
from urllib.parse import unquote

from clawgw.fact import fact

MAX_HEAD_BYTES = 32 * 1024
MAX_FIELDS = 100

EMPTY_LINE = b"\r\n\r\n"
EMPTY_LINE_BYTES = 4
_REQUEST_LINE = re.compile(rb"(?!CONNECT )([A-Z-]+) ([\x21-\x7e]+) HTTP/1\.([01])(?=\r\n)")

_AUTHORITY = re.compile(rb"https?://[^/?#]*", re.IGNORECASE)

Fields = list[tuple[bytes, bytes]]
"""Names in lower case, values without space around them; in order."""


class BadRequest(Exception):
    """What came is no request that is taken. `status` is how to answer it, before the connection is closed."""

    def __init__(self, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.message = message
        self.status = status


@fact
class RequestHead:
    """A request line and its fields. `version` is "1.0" or "1.1".

    `length` is that of the body in bytes; None: it is chunked. `upgrade`: another protocol is to go on, which is for a
    request for a WebSocket, and for no other.
    """

    method: str
    target: bytes
    version: str
    fields: Fields
    length: int | None
    keep_alive: bool
    expects_continue: bool
    upgrade: bool


def read_head(raw: bytes, *, upgraded: bool) -> RequestHead:
    """Out of bytes that llhttp takes; `upgraded`: they ask for another protocol. Raises BadRequest."""
    line = _REQUEST_LINE.match(raw)
    if line is None:
        raise BadRequest("the request line is not `METHOD TARGET HTTP/1.1`")
    method, target, minor = line.groups()
    fields = [
        (name.lower(), value.strip(b" \t"))
        for name, _, value in [
            field.partition(b":") for field in raw[line.end() : -EMPTY_LINE_BYTES].split(b"\r\n")[1:]
        ]
    ]
    if len(fields) > MAX_FIELDS:
        raise BadRequest(f"more than {MAX_FIELDS} header fields", status=431)
    named, modern = dict(fields), minor == b"1"
    length = _length(fields, named, modern=modern)
    return RequestHead(
        method.decode("ascii"),
        target,
        "1.1" if modern else "1.0",
        fields,
        length,
        modern and not (b"connection" in named and _says_close(fields)),
        modern and b"expect" in named and named[b"expect"].lower() == b"100-continue",
        upgraded and modern and method == b"GET" and length == 0 and _wants_websocket(fields),
    )


def _wants_websocket(fields: Fields) -> bool:
    """Said once and plainly: whoever goes on must not read it as anything else."""
    said = [value.lower() for name, value in fields if name in {b"connection", b"upgrade"}]
    return len(said) == 2 and b"websocket" in said


def _says_close(fields: Fields) -> bool:
    options = b",".join(value for name, value in fields if name == b"connection")
    return b"close" in [option.strip().lower() for option in options.split(b",")]


def _length(fields: Fields, named: dict[bytes, bytes], *, modern: bool) -> int | None:
    """That of the body. llhttp has refused what is no number, what is said twice, and a length beside chunks."""
    if (modern and b"host" not in named) or (len(named) < len(fields) and _is_twice(b"host", fields)):
        raise BadRequest("there must be one Host, and one only")
    coding = named.get(b"transfer-encoding")
    if coding is None:
        return int(named.get(b"content-length", b"0"))
    if coding.lower() != b"chunked" or _is_twice(b"transfer-encoding", fields) or not modern:
        raise BadRequest("the only Transfer-Encoding is chunked, once, and in HTTP/1.0 there is none")
    return None


def _is_twice(wanted: bytes, fields: Fields) -> bool:
    return sum(name == wanted for name, _ in fields) > 1


def origin_form(target: bytes) -> bytes:
    """A request target from its path on: a proxy's client may put a whole URL there (RFC 9112, 3.2.2)."""
    authority = _AUTHORITY.match(target)
    if authority is None:
        return target
    rest = target[authority.end() :]
    return rest if rest.startswith(b"/") else b"/" + rest


@lru_cache(maxsize=256)
def path_of(target: bytes) -> str:
    """A request target's path, percent-decoded."""
    return unquote(origin_form(target).partition(b"?")[0].decode("ascii"))


UNREADABLE = RequestHead("", b"", "1.1", [], 0, keep_alive=False, expects_continue=False, upgrade=False)
"""The head of what is no request: its answer closes the connection."""

H2_PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
H2_HEAD = RequestHead("PRI", b"*", "2.0", [], 0, keep_alive=False, expects_continue=False, upgrade=True)
"""HTTP/2's preface (RFC 9113, 3.4), which looks like a request so that HTTP/1.1 servers refuse it."""
