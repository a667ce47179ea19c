"""The bytes of a request: its head and its body in one piece, so that they go out in one write."""

import re
from collections.abc import Iterable

_NAME = re.compile(r"[-!#$%&'*+.^_`|~0-9A-Za-z]+")
_VALUE = re.compile(r"(?:[\x21-\x7e](?:[\t\x20-\x7e]*[\x21-\x7e])?)?")
_VISIBLE = re.compile(r"[\x21-\x7e]+")


class NotSendable(ValueError):
    """Something in a request is not HTTP. The text does not repeat it: it may be a key."""


def head_without_length(method: str, target: str, fields: Iterable[tuple[str, str]]) -> bytes:
    """The head of a request, up to what depends on its body; the fields say its host. Raises `NotSendable`."""
    if not _NAME.fullmatch(method) or not _VISIBLE.fullmatch(target):
        raise NotSendable("the method or the path is not allowed in HTTP")
    lines = [f"{method} {target} HTTP/1.1"]
    for name, value in fields:
        if not _VALUE.fullmatch(value) or not _NAME.fullmatch(name):
            raise NotSendable(_complaint(name + value))
        lines.append(f"{name}: {value}")
    return "\r\n".join(lines).encode("ascii")


def with_body(head: bytes, body: bytes) -> bytes:
    """The whole request."""
    return b"%b\r\ncontent-length: %d\r\n\r\n%b" % (head, len(body), body)


def without_body(head: bytes) -> bytes:
    """The whole request, of a method that has no body."""
    return head + b"\r\n\r\n"


def _complaint(header: str) -> str:
    return "a header is not allowed in HTTP, check for line breaks" if header.isascii() else "a header is not ASCII"
