"""A chunked body out of the bytes of a request (RFC 9112, 7.1). No I/O here."""

import httptools
from attrs import define, field

from clawgw.http1.request_head import EMPTY_LINE, EMPTY_LINE_BYTES, MAX_HEAD_BYTES, BadRequest

_ANY_CHUNKED_HEAD = b"POST / HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n"
"""llhttp reads whole requests; the head that came has been read."""
_FRAMING_PER_BYTE = 8
"""Chunk sizes, extensions and trailers may take so many times the room of the body, beside `MAX_HEAD_BYTES`."""
_EMPTY_LINE_COSTS = 128
"""An empty line in a chunked body counts as so many bytes of them, for it is as much work."""


class _Heard:
    """What llhttp says of a body; it takes callbacks by their names."""

    def __init__(self) -> None:
        self.pieces: list[bytes] = []
        self.on_body = self.pieces.append
        self.ended = False

    def on_message_complete(self) -> None:
        self.ended = True


@define(eq=False)
class ChunkedBody:
    """Read by llhttp, which is fed up to an empty line at a time: only there the body can end."""

    _heard: _Heard = field(init=False, factory=_Heard)
    _llhttp: httptools.HttpRequestParser = field(init=False)
    _tail: bytes = field(init=False, default=b"")
    """The last bytes that llhttp was fed: an empty line may have begun there."""
    _framing_left: int = field(init=False, default=MAX_HEAD_BYTES)

    def __attrs_post_init__(self) -> None:
        self._llhttp = httptools.HttpRequestParser(self._heard)
        self._llhttp.feed_data(_ANY_CHUNKED_HEAD)

    @property
    def ended(self) -> bool:
        """Whether the last chunk and its trailers have been read."""
        return self._heard.ended

    def read(self, buffer: bytes, at: int) -> int:
        """Read on from there; where the next read begins. Raises BadRequest."""
        end = self._empty_line(buffer, at)
        piece = buffer[at:end]
        self._tail = piece[-3:] if len(piece) > 2 else (self._tail + piece)[-3:]
        self._feed(piece)
        return end

    def take(self) -> bytes:
        """What was read of the data since it was last asked for."""
        body = b"".join(self._heard.pieces)
        self._heard.pieces.clear()
        return body

    def _feed(self, piece: bytes) -> None:
        pieces = self._heard.pieces
        before = len(pieces)
        try:
            self._llhttp.feed_data(piece)
        except httptools.HttpParserError as error:
            raise BadRequest("the request is not valid HTTP/1.1") from error
        data = sum(map(len, pieces[before:]))
        self._framing_left += _FRAMING_PER_BYTE * data - (len(piece) - data)
        if self._tail == EMPTY_LINE[1:]:
            self._framing_left -= _EMPTY_LINE_COSTS
        if self._framing_left < 0:
            raise BadRequest("the sizes, extensions or trailers of a chunked body are too long")

    def _empty_line(self, buffer: bytes, at: int) -> int:
        """Where the first one ends, or the buffer."""
        tail = self._tail
        seam = (tail + buffer[at : at + 3]).find(EMPTY_LINE) if tail else -1
        if seam >= 0:
            return at + seam + EMPTY_LINE_BYTES - len(tail)
        found = buffer.find(EMPTY_LINE, at)
        return found + EMPTY_LINE_BYTES if found >= 0 else len(buffer)
