"""An answer into bytes, without any I/O: how its body is framed, and that nothing in a field ends its line."""

from collections.abc import Mapping
from email.utils import formatdate
from functools import lru_cache
from http import HTTPStatus

from attrs import define

from clawgw.http1.request_head import RequestHead

CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
_LAST_CHUNK = b"0\r\n\r\n"
_STATUS_LINES = {status.value: f"HTTP/1.1 {status.value} {status.phrase}" for status in HTTPStatus}
_BODYLESS = {204, 304}

ResponseFields = Mapping[str, str]
"""Names in lower case."""


@define(eq=False)
class ResponseWriter:
    """The answer to one request. What the methods return is to be sent, in order."""

    _request: RequestHead
    _unsent_head: bytes = b""
    _chunked: bool = False
    _bodyless: bool = False

    def begin(self, status: int, fields: ResponseFields, *, close: bool) -> None:
        """Keep the head, which goes out with what comes next; without a content-length the body is in chunks.

        To a client of HTTP/1.0 it ends with the connection. Raises ValueError where a field would end its line.
        """
        self._bodyless = self._request.method == "HEAD" or status in _BODYLESS
        self._chunked = "content-length" not in fields and not self._bodyless and self._request.version == "1.1"
        if self._chunked:
            fields = {**fields, "transfer-encoding": "chunked"}
        if close:
            fields = {**fields, "connection": "close"}
        self._unsent_head = head_bytes(status, fields)

    def data(self, part: bytes) -> bytes:
        """A part of the body."""
        return self._framed(part, b"")

    def end(self, part: bytes = b"") -> bytes:
        """The last part of the body."""
        return self._framed(part, _LAST_CHUNK)

    def _framed(self, part: bytes, last_chunk: bytes) -> bytes:
        head, self._unsent_head = self._unsent_head, b""
        if self._bodyless:
            return head
        if not self._chunked:
            return head + part
        return b"%b%x\r\n%b\r\n%b" % (head, len(part), part, last_chunk) if part else head + last_chunk


def head_bytes(status: int, fields: ResponseFields) -> bytes:
    """A status line and fields, to the empty line. Raises ValueError where one holds a line's end or NUL."""
    status_line = _STATUS_LINES.get(status) or f"HTTP/1.1 {status} "
    text = "\r\n".join((status_line, *map(": ".join, fields.items())))
    if text.count("\n") != len(fields) or text.count("\r") != len(fields) or "\0" in text:
        raise ValueError("a field of an answer holds CR, LF or NUL")
    return f"{text}\r\n\r\n".encode("latin-1")


@lru_cache(maxsize=1)
def http_date(second: int) -> str:
    """A second since the epoch as it stands in `Date` (RFC 9110, 5.6.7)."""
    return formatdate(second, usegmt=True)
