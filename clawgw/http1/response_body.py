"""The body of an answer, in each of its three framings (RFC 9112, section 6): after the head, where does it end?

A reader appends what it reads to `pieces`. It says `is_complete` when the body has ended, and then whether it has ended
`exactly`: whatever came behind the end belongs to nothing that was asked.
"""

from typing import Protocol

from attrs import define, field
from httptools import HttpParserError, HttpResponseParser

from clawgw.http1.faults import AnswerTooLarge, InvalidAnswer

MAX_BETWEEN_BYTES = 64 * 1024
"""Of what stands between two pieces of a chunked body: sizes and their extensions, trailers."""

_END = b"\r\n\r\n"
_ANY_CHUNKED_HEAD = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"
"""llhttp reads whole answers; the head that came has been read."""
_NO_TRAILERS = frozenset({b"content-length", b"transfer-encoding"})
"""They say how a body is framed, which a trailer comes too late for (RFC 9110, section 6.5.1)."""


class BodyReader(Protocol):
    """What the three have in common."""

    is_complete: bool
    exactly: bool

    def feed(self, data: bytes) -> None:
        """Read on. Raises `PeerFault`; what was good before it is among the pieces."""


@define(eq=False)
class LengthReader:
    """So many bytes."""

    pieces: list[bytes]
    left: int
    is_complete: bool = False
    exactly: bool = field(init=False, default=True)

    def feed(self, data: bytes) -> None:
        """Read on."""
        over = len(data) - self.left
        if over > 0:
            self.exactly = False
            data = data[: self.left]
        self.left -= len(data)
        self.is_complete = over >= 0
        self.pieces.append(data)


@define(eq=False)
class RestReader:
    """Everything until the connection is closed, which whoever reads it notices."""

    pieces: list[bytes]
    is_complete: bool = field(init=False, default=False)
    exactly: bool = field(init=False, default=False)

    def feed(self, data: bytes) -> None:
        """Read on."""
        self.pieces.append(data)


class _Chunks:
    """What llhttp says of a chunked body; it takes callbacks by their names.

    An object of its own, so that llhttp and whoever feeds it are no cycle.
    """

    def __init__(self, pieces: list[bytes]) -> None:
        self.on_body = pieces.append
        self.is_complete = False
        self._in_trailers = False

    def on_headers_complete(self) -> None:
        self._in_trailers = True

    def on_header(self, name: bytes, _: bytes) -> None:
        if self._in_trailers and name.lower() in _NO_TRAILERS:
            raise ValueError

    def on_message_complete(self) -> None:
        self.is_complete = True

    def on_message_begin(self) -> None:
        if self.is_complete:  # another answer begins, which nobody asked for
            raise ValueError


@define(eq=False)
class ChunkedReader:
    """Chunks up to the last one and its trailers, which nobody reads; by llhttp."""

    pieces: list[bytes]
    is_complete: bool = field(init=False, default=False)
    exactly: bool = field(init=False, default=False)
    _chunks: _Chunks = field(init=False)
    _llhttp: HttpResponseParser = field(init=False)
    _between_bytes: int = field(init=False, default=0)
    _tail: bytes = field(init=False, default=b"")

    def __attrs_post_init__(self) -> None:
        self._chunks = _Chunks(self.pieces)
        self._llhttp = HttpResponseParser(self._chunks)
        self._llhttp.feed_data(_ANY_CHUNKED_HEAD)

    def feed(self, data: bytes) -> None:
        """Read on. Raises `PeerFault`."""
        before = len(self.pieces)
        self._tail = (self._tail + data[-5:])[-5:]
        try:
            self._llhttp.feed_data(data)
        except HttpParserError:
            if not self._chunks.is_complete:
                raise InvalidAnswer("the answer is not valid HTTP/1.1") from None
        else:
            self.exactly = self._chunks.is_complete and self._ends_once()
        self.is_complete = self._chunks.is_complete
        self._between_bytes = 0 if len(self.pieces) > before else self._between_bytes + len(data)
        if self._between_bytes > MAX_BETWEEN_BYTES:
            raise AnswerTooLarge(f"over {MAX_BETWEEN_BYTES} bytes between two pieces of the answer")

    def _ends_once(self) -> bool:
        """Whether no empty line follows the one that ends it: llhttp passes over those."""
        return self._tail.endswith(_END) and self._tail[:1] != b"\n"
