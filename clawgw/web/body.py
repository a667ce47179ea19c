"""Reading a request's body: bounded in bytes and in time."""

from collections.abc import Awaitable, Callable

import trio

from clawgw.errors import RequestTimeout
from clawgw.web.head import too_large

BODY_S = 30.0
"""A body has to be there after so many seconds."""


async def collect(receive: Callable[[], Awaitable[bytes]], max_bytes: int, within_s: float = BODY_S) -> bytes:
    """The whole body; `receive` gives its parts, and b"" at its end. Raises `BodyTooLarge` or `RequestTimeout`."""
    parts: list[bytes] = []
    size = 0
    with trio.move_on_after(within_s):
        while part := await receive():
            size += len(part)
            if size > max_bytes:
                raise too_large(max_bytes)
            parts.append(part)
        return b"".join(parts)
    raise RequestTimeout(f"the body did not arrive within {within_s:g} s")
