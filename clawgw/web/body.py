"""Reading a request's body: bounded in bytes and in time."""

from collections.abc import Awaitable, Callable
from typing import Any

import trio

from clawgw.errors import ClientClosed, RequestTimeout
from clawgw.web.head import too_large

BODY_S = 30.0
"""A body has to be there after so many seconds."""


async def read_body(
    receive: Callable[[], Awaitable[dict[str, Any]]], max_bytes: int, within_s: float = BODY_S
) -> bytes:
    """The whole body. Raises `BodyTooLarge`, `RequestTimeout` or, where the client has left, `ClientClosed`."""
    parts: list[bytes] = []
    size = 0
    with trio.move_on_after(within_s):
        while True:
            event = await receive()
            if event["type"] == "http.disconnect":
                raise ClientClosed("the client left before its request was whole")
            part = event.get("body", b"")
            size += len(part)
            if size > max_bytes:
                raise too_large(max_bytes)
            parts.append(part)
            if not event.get("more_body", False):
                return b"".join(parts)
    raise RequestTimeout(f"the body did not arrive within {within_s:g} s")
