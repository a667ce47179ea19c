"""Requests out of bytes: what a client sends on one HTTP/1.1 connection, in order.

No I/O here: `receive` takes bytes, `next_head` and `next_body` say what they mean. llhttp judges each head, and reads
what is chunked; what it would take and another server might read in another way is refused (`http1.request_head`,
docs/decisions/0018). A head ends with the first empty line, a body where its Content-Length says or with its last
chunk: llhttp is fed up to there and no further, so nothing of one request is ever taken for a part of another.
"""

import httptools
from attrs import define

from clawgw.http1.request_body import ChunkedBody
from clawgw.http1.request_head import (
    EMPTY_LINE,
    EMPTY_LINE_BYTES,
    H2_HEAD,
    H2_PREFACE,
    MAX_HEAD_BYTES,
    BadRequest,
    RequestHead,
    read_head,
)

_NO_CALLBACKS = object()


@define(eq=False)
class RequestParser:
    """One connection's. It is done with after a `BadRequest`, or a request without `keep_alive`."""

    _buffer: bytes = b""
    _at: int = 0
    """Where in the buffer the unread begins."""
    _judge: httptools.HttpRequestParser | None = None
    """Has seen the beginning of a head, of so many bytes, that has yet to come as a whole."""
    _judged: int = 0
    _raw_head: bytes = b""
    _left: int = 0
    """How much of the body is still to be read, where its length is known."""
    _chunked: ChunkedBody | None = None
    _fresh: bool = True

    @property
    def unread(self) -> int:
        """How many bytes were received and not looked at."""
        return len(self._buffer) - self._at

    @property
    def body_ended(self) -> bool:
        """Whether all of the request has been read; what is there of its body may not have been handed out."""
        return not self._left and (self._chunked is None or self._chunked.ended)

    def receive(self, data: bytes) -> None:
        """Take bytes, to be looked at when they are asked for."""
        self._buffer = self._buffer[self._at :] + data if self._at < len(self._buffer) else data
        self._at = 0

    def next_head(self) -> RequestHead | None:
        """The next request's head; None: more bytes are needed. Raises BadRequest.

        The body of the request before must have been read. A connection may begin with HTTP/2's preface (RFC 9113,
        3.4), which is then an upgrade.
        """
        if self._fresh and H2_PREFACE.startswith(self._buffer[: len(H2_PREFACE)]):
            return H2_HEAD if self.unread >= len(H2_PREFACE) else None
        self._fresh = False
        at, judged = self._at, self._judged
        if at == len(self._buffer):
            return None
        found = self._buffer.find(EMPTY_LINE, max(at, at + judged - EMPTY_LINE_BYTES + 1))
        end = found + EMPTY_LINE_BYTES if found >= 0 else len(self._buffer)
        if end - at > MAX_HEAD_BYTES:
            raise BadRequest(f"the head is over {MAX_HEAD_BYTES} bytes", status=431)
        raw = self._buffer[at:end]
        upgraded = self._is_upgrade(raw[judged:])
        if found < 0:
            self._judged = len(raw)
            return None
        self._at = end
        return self._begin(raw, upgraded=upgraded)

    def next_body(self) -> bytes | None:
        """What is there of the body, b"" at its end; None: more bytes are needed. Raises BadRequest."""
        body = self._take(self._left) if self._chunked is None else self._dechunked(self._chunked)
        return body if body or self.body_ended else None

    def hand_on(self) -> bytes:
        """All the bytes of the request whose head came last, and what follows it, for another protocol to read."""
        return self._raw_head + self._buffer[self._at :]

    def _begin(self, raw: bytes, *, upgraded: bool) -> RequestHead:
        self._raw_head = raw
        self._judge, self._judged = None, 0
        head = read_head(raw, upgraded=upgraded)
        self._left, self._chunked = head.length or 0, ChunkedBody() if head.length is None else None
        return head

    def _is_upgrade(self, piece: bytes) -> bool:
        """Raises BadRequest where llhttp does not take it."""
        if self._judge is None:
            self._judge = httptools.HttpRequestParser(_NO_CALLBACKS)
        try:
            self._judge.feed_data(piece)
        except httptools.HttpParserUpgrade:
            return True
        except httptools.HttpParserError as error:
            raise BadRequest("the request is not valid HTTP/1.1") from error
        return False

    def _take(self, size: int) -> bytes:
        piece = self._buffer[self._at : self._at + size]
        taken = len(piece)
        self._at += taken
        self._left -= taken
        return piece

    def _dechunked(self, body: ChunkedBody) -> bytes:
        while self._at < len(self._buffer) and not body.ended:
            self._at = body.read(self._buffer, self._at)
        return body.take()
