"""What a request needed is freed when it ends: nothing waits in a cycle for the garbage collector.

A collection stops everything, for tens of milliseconds where thousands of requests have left something behind.
"""

import gc
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import pytest
import trio

from tests.faults.answers import error, good
from tests.faults.setting import Setting, Target, both_ways, chat, start

pytestmark = pytest.mark.usefixtures("_time_limit")
RACE = 'strategy = "race"'
HEDGE = 'strategy = "hedge"\nhedge_after = 5.0'


@pytest.fixture
async def _time_limit(nursery: trio.Nursery) -> None:
    nursery.cancel_scope.deadline = trio.current_time() + 20


@contextmanager
def kept_garbage() -> Iterator[list[object]]:
    """All that only the collector would have freed."""
    was_enabled = gc.isenabled()
    gc.collect()
    gc.disable()
    gc.set_debug(gc.DEBUG_SAVEALL)
    found: list[object] = []
    try:
        yield found
        gc.collect()
        found += gc.garbage
    finally:
        gc.set_debug(0)
        gc.garbage.clear()
        if was_enabled:
            gc.enable()


async def left_behind(setting: Setting, *, stream: bool) -> list[str]:
    """The classes of ours of which three requests leave something."""
    client = await setting.serving.connect()
    await client.post(chat(stream=stream))
    with kept_garbage() as found:
        for _ in range(3):
            await client.post(chat(stream=stream))
    return sorted({type(each).__qualname__ for each in found if type(each).__module__.startswith("clawgw")})


CASES: dict[str, tuple[Sequence[Target], str]] = {
    "one target": ([good], ""),
    "a hedge that does not fire": ([good, good], HEDGE),
    "a race": ([good, good], RACE),
    "failover": ([error(500), good], ""),
    "nobody answers": ([error(500), error(429)], ""),
    "the client is over its limit": ([good], "limits = { requests_per_minute = 1 }"),
    "a request that is none": ([error(400)], ""),
}
"""The targets, and more of the route's table."""


@both_ways
@pytest.mark.parametrize(("targets", "route"), CASES.values(), ids=CASES)
async def test_nothing_is_left_behind(
    nursery: trio.Nursery, targets: Sequence[Target], route: str, *, stream: bool
) -> None:
    setting = await start(nursery, targets, route=route)
    assert await left_behind(setting, stream=stream) == []
