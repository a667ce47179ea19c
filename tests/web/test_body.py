from collections.abc import Sequence
from typing import Any

import pytest
import trio

from clawgw.errors import BodyTooLarge, ClientClosed, RequestTimeout
from clawgw.web.body import read_body


class Events:
    """A scripted `receive`; after its last event it waits for ever."""

    def __init__(self, events: Sequence[dict[str, Any]]) -> None:
        self.left = list(events)

    async def __call__(self) -> dict[str, Any]:
        if not self.left:
            await trio.sleep_forever()
        return self.left.pop(0)


def part(body: bytes, *, more: bool = True) -> dict[str, Any]:
    return {"type": "http.request", "body": body, "more_body": more}


async def test_the_parts_in_order() -> None:
    assert await read_body(Events([part(b"ab"), part(b"c"), part(b"", more=False)]), 3) == b"abc"


async def test_reading_stops_at_the_first_part_over_the_limit() -> None:
    events = Events([part(b"ab"), part(b"cd"), part(b"never read", more=False)])
    with pytest.raises(BodyTooLarge):
        await read_body(events, 3)
    assert len(events.left) == 1


async def test_a_client_that_leaves() -> None:
    with pytest.raises(ClientClosed):
        await read_body(Events([part(b"ab"), {"type": "http.disconnect"}]), 3)


async def test_a_client_that_takes_too_long(autojump_clock: trio.testing.MockClock) -> None:
    started = trio.current_time()
    with pytest.raises(RequestTimeout, match="30 s"):
        await read_body(Events([part(b"ab")]), 3)
    assert trio.current_time() - started == 30
