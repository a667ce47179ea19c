"""The head of an answer: its lines by the letter, and what they say of the body and of the connection."""

import re
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from httptools import HttpParserError, HttpResponseParser

from clawgw.fact import fact
from clawgw.http1.faults import AnswerTooLarge, InvalidAnswer

MAX_FIELDS = 256

_LINES = re.compile(
    rb"HTTP/1\.[01] [1-9][0-9]{2}(?: [\t\x20-\x7e\x80-\xff]*+)?\r\n"
    rb"(?:[-!#$%&'*+.^_`|~0-9A-Za-z]++:[\t\x20-\x7e\x80-\xff]*+\r\n)*+\r\n"
)
"""A status line, with its reason or without, as some servers write it, and fields (RFC 9112, sections 4 and 5)."""
_SWITCHING_PROTOCOLS = b"101"
_NO_CALLBACKS = object()
FIRST_FINAL = 200
"""After a head with a lower status, which is interim, another head follows."""
_BODILESS = frozenset({204, 304})


@fact
class ResponseHead:
    """Names are in lower case; values are Latin-1, without space around them.

    `fields` are as they came; in `headers` are the values of a name that came several times one, with commas between
    (RFC 9110, section 5.3).
    """

    status: int
    fields: Sequence[tuple[str, str]]
    headers: Mapping[str, str]
    is_http10: bool


class Framing(NamedTuple):
    """Where the body ends: after `length` bytes, with the last chunk where it is None, or with the connection."""

    length: int | None
    until_closed: bool
    keeps_alive: bool


def parse_head(block: bytes) -> ResponseHead:
    """A head from its first byte to its empty line. Raises `PeerFault`."""
    if not _LINES.fullmatch(block) or block[9:12] == _SWITCHING_PROTOCOLS or not _does_llhttp_take(block):
        raise InvalidAnswer("the answer is not valid HTTP/1.1")
    parted = [line.partition(":") for line in block.decode("latin-1").split("\r\n")[1:-2]]
    if len(parted) > MAX_FIELDS:
        raise AnswerTooLarge(f"the answer's head has over {MAX_FIELDS} fields")
    fields = [(name.lower(), value.strip(" \t")) for name, _, value in parted]
    return ResponseHead(int(block[9:12]), fields, _joined(fields), block[:8] == b"HTTP/1.0")


def _does_llhttp_take(block: bytes) -> bool:
    try:
        HttpResponseParser(_NO_CALLBACKS).feed_data(block)
    except HttpParserError:
        return False
    return True


def framing_of(head: ResponseHead, *, to_head: bool) -> Framing:
    """What follows a head. `to_head`: it answers a HEAD request. Raises `InvalidAnswer`.

    Where a length and chunks are both announced, or a length that is no number, llhttp has refused the head before.
    """
    headers, is_interim = head.headers, head.status < FIRST_FINAL
    coding, length = headers.get("transfer-encoding"), headers.get("content-length")
    if coding is not None and (head.is_http10 or coding.lower() != "chunked"):
        raise InvalidAnswer("the answer is not valid HTTP/1.1: its transfer coding is not chunked alone")
    if is_interim and (coding is not None or length is not None):
        raise InvalidAnswer("the answer is not valid HTTP/1.1: an interim answer with a body")
    keeps_alive = not head.is_http10 and not ("connection" in headers and _says_close(headers["connection"]))
    if to_head or is_interim or head.status in _BODILESS:
        return Framing(0, until_closed=False, keeps_alive=keeps_alive)
    until_closed = coding is None and length is None
    return Framing(None if length is None else int(length), until_closed, keeps_alive and not until_closed)


def _says_close(options: str) -> bool:
    return "close" in [option.strip(" \t") for option in options.lower().split(",")]


def _joined(fields: Sequence[tuple[str, str]]) -> Mapping[str, str]:
    headers = dict(fields)
    if len(headers) < len(fields):
        headers.clear()
        for name, value in fields:
            headers[name] = f"{headers[name]}, {value}" if name in headers else value
    return headers
