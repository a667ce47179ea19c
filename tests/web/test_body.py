from collections.abc import Sequence

import pytest
import trio

from clawgw.errors import BodyTooLarge, RequestTimeout
from clawgw.web.body import collect


class Parts:
    """A scripted `receive`; after its last part it waits for ever."""

    def __init__(self, parts: Sequence[bytes]) -> None:
        self.left = list(parts)

    async def __call__(self) -> bytes:
        if not self.left:
            await trio.sleep_forever()
        return self.left.pop(0)


async def test_the_parts_in_order() -> None:
    assert await collect(Parts([b"ab", b"c", b""]), 3) == b"abc"


async def test_reading_stops_at_the_first_part_over_the_limit() -> None:
    parts = Parts([b"ab", b"cd", b"never read"])
    with pytest.raises(BodyTooLarge):
        await collect(parts, 3)
    assert len(parts.left) == 1


async def test_a_client_that_takes_too_long(autojump_clock: trio.testing.MockClock) -> None:
    started = trio.current_time()
    with pytest.raises(RequestTimeout, match="30 s"):
        await collect(Parts([b"ab"]), 3)
    assert trio.current_time() - started == 30
