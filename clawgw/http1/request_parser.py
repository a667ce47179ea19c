"""Requests out of bytes: what a client sends on one HTTP/1.1 connection, in order.

No I/O here: `receive` takes bytes, `next_head` and `next_body` say what they mean. llhttp reads; what it would take and
another server might read in another way is refused (`http1.request_head`, docs/decisions/0018). A message can end only
with an empty line, or where its Content-Length says: llhttp is fed up to there and no further, and each request has an
llhttp of its own, so nothing of one is ever taken for a part of another.
"""

import httptools
from attrs import define, field

from clawgw.http1.request_head import H2_HEAD, H2_PREFACE, MAX_HEAD_BYTES, BadRequest, RequestHead, read_head

_EMPTY_LINE = b"\r\n\r\n"
_FRAMING_PER_BYTE = 8
"""Chunk sizes, extensions and trailers may take so many times the room of the body, beside `MAX_HEAD_BYTES`."""
_EMPTY_LINE_COSTS = 128
"""An empty line in a chunked body counts as so many bytes of them, for it is as much work."""


@define(eq=False)
class _Heard:
    """What llhttp has said of one request; the methods are its callbacks."""

    target: bytes = b""
    fields: list[tuple[bytes, bytes]] = field(factory=list)
    head_ended: bool = False
    body: list[bytes] = field(factory=list)
    ended: bool = False

    def on_url(self, part: bytes) -> None:
        self.target += part

    def on_header(self, name: bytes, value: bytes) -> None:
        if not self.head_ended:  # else it is a trailer
            self.fields.append((name.lower(), value.strip(b" \t")))

    def on_headers_complete(self) -> None:
        self.head_ended = True

    def on_body(self, part: bytes) -> None:
        self.body.append(part)

    def on_message_complete(self) -> None:
        self.ended = True


@define(eq=False)
class RequestParser:
    """One connection's. It is done with after a `BadRequest`, or a request without `keep_alive`."""

    _buffer: bytes = b""
    _at: int = 0
    """Where in the buffer the unread begins."""
    _raw_head: bytes = b""
    _heard: _Heard = field(factory=_Heard)
    _llhttp: httptools.HttpRequestParser = field(init=False)
    _tail: bytes = b""
    """The last bytes that llhttp was fed: an empty line may have begun there."""
    _length: int | None = None
    """How much of the body is still to come; None: it is chunked."""
    _framing_left: int = MAX_HEAD_BYTES
    _fresh: bool = True

    def __attrs_post_init__(self) -> None:
        self._llhttp = httptools.HttpRequestParser(self._heard)

    @property
    def unread(self) -> int:
        """How many bytes were received and not looked at."""
        return len(self._buffer) - self._at

    @property
    def body_ended(self) -> bool:
        """Whether all of the request has been received; what is there of its body may not have been handed out."""
        return self._heard.ended

    def receive(self, data: bytes) -> None:
        """Take bytes, to be looked at when they are asked for."""
        self._buffer = self._buffer[self._at :] + data if self.unread else data
        self._at = 0

    def next_head(self) -> RequestHead | None:
        """The next request's head; None: more bytes are needed. Raises BadRequest.

        The body of the request before must have been read. A connection may begin with HTTP/2's preface (RFC 9113,
        3.4), which is then an upgrade.
        """
        if self._fresh and H2_PREFACE.startswith(self._buffer[: len(H2_PREFACE)]):
            return H2_HEAD if self.unread >= len(H2_PREFACE) else None
        self._fresh = False
        if self._heard.ended:
            self._begin()
        while self.unread:
            piece = self._up_to_empty_line()
            self._raw_head += piece
            if len(self._raw_head) > MAX_HEAD_BYTES:
                raise BadRequest(f"the head is over {MAX_HEAD_BYTES} bytes", status=431)
            upgrade = self._feed(piece)
            if self._heard.head_ended:
                return self._head(upgrade=upgrade)
        return None

    def next_body(self) -> bytes | None:
        """What is there of the body, b"" at its end; None: more bytes are needed. Raises BadRequest."""
        heard = self._heard
        while self.unread and not heard.ended:
            self._feed_body()
        if heard.body:
            body = heard.body[0] if len(heard.body) == 1 else b"".join(heard.body)
            heard.body.clear()
            return body
        return b"" if heard.ended else None

    def hand_on(self) -> bytes:
        """All the bytes of the request whose head came last, and what follows it, for another protocol to read."""
        return self._raw_head + self._buffer[self._at :]

    def _begin(self) -> None:
        self._heard = _Heard()
        self._llhttp = httptools.HttpRequestParser(self._heard)
        self._raw_head = self._tail = b""
        self._framing_left = MAX_HEAD_BYTES

    def _head(self, *, upgrade: bool) -> RequestHead:
        heard = self._heard
        method = self._llhttp.get_method()
        head = read_head(self._raw_head, method, heard.target, heard.fields, upgraded=upgrade)
        self._length = head.length
        if upgrade:
            self._ignore_upgrade()
        return head

    def _ignore_upgrade(self) -> None:
        """For llhttp an upgrade has no body: go on with another one, which has not heard of it."""
        framing = b"transfer-encoding: chunked" if self._length is None else b"content-length: %d" % self._length
        self._heard.ended = False
        self._llhttp = httptools.HttpRequestParser(self._heard)
        self._feed(b"POST / HTTP/1.1\r\n%b\r\n\r\n" % framing)

    def _feed_body(self) -> None:
        if self._length is not None:
            piece = self._take(self._length)
            self._length -= len(piece)
            self._feed(piece)
            return
        body, piece = self._heard.body, self._up_to_empty_line()
        before = len(body)
        self._feed(piece)
        data = sum(map(len, body[before:]))
        self._framing_left += _FRAMING_PER_BYTE * data - (len(piece) - data)
        if self._tail == _EMPTY_LINE[1:]:
            self._framing_left -= _EMPTY_LINE_COSTS
        if self._framing_left < 0:
            raise BadRequest("the sizes, extensions or trailers of a chunked body are too long")

    def _up_to_empty_line(self) -> bytes:
        """All that is unread, or up to the first empty line's end."""
        tail = self._tail
        seam = (tail + self._buffer[self._at : self._at + 3]).find(_EMPTY_LINE) if tail else -1
        if seam >= 0:
            size = seam + len(_EMPTY_LINE) - len(tail)
        else:
            found = self._buffer.find(_EMPTY_LINE, self._at)
            size = found + len(_EMPTY_LINE) - self._at if found >= 0 else self.unread
        piece = self._take(size)
        self._tail = piece[-3:] if len(piece) > 2 else (tail + piece)[-3:]
        return piece

    def _take(self, size: int) -> bytes:
        piece = self._buffer[self._at : self._at + size]
        self._at += len(piece)
        return piece

    def _feed(self, piece: bytes) -> bool:
        """Whether llhttp found an upgrade."""
        try:
            self._llhttp.feed_data(piece)
        except httptools.HttpParserUpgrade:
            return True
        except httptools.HttpParserError as error:
            raise BadRequest("the request is not valid HTTP/1.1") from error
        return False
