"""The bytes of a request: its head and its body in one piece, so that they go out in one write."""

import re
from collections.abc import Collection

_NAME = re.compile(r"[-!#$%&'*+.^_`|~0-9A-Za-z]+")
_VALUE = re.compile(r"(?:[\x21-\x7e](?:[\t\x20-\x7e]*[\x21-\x7e])?)?")
_VISIBLE = re.compile(r"[\x21-\x7e]+")


class NotSendable(ValueError):
    """Something in a request is not HTTP. The text does not repeat it: it may be a key."""


def request_bytes(method: str, target: str, fields: Collection[tuple[str, str]], body: bytes) -> bytes:
    """A request, whose fields say its host, and the length of its body if it has one. Raises `NotSendable`."""
    if not _NAME.fullmatch(method) or not _VISIBLE.fullmatch(target):
        raise NotSendable("the method or the path is not allowed in HTTP")
    for name, value in fields:
        if not _VALUE.fullmatch(value) or not _NAME.fullmatch(name):
            raise NotSendable(_complaint(name + value))
    lines = "".join([f"{name}: {value}\r\n" for name, value in fields])
    return b"%b%b" % (f"{method} {target} HTTP/1.1\r\n{lines}\r\n".encode("ascii"), body)


def _complaint(header: str) -> str:
    return "a header is not allowed in HTTP, check for line breaks" if header.isascii() else "a header is not ASCII"
