"""Virtual time; `rung` are names and times."""

from collections.abc import Callable
from functools import partial

import trio
from attrs import define, field
from trio.testing import MockClock

from clawgw.http1.alarms import Alarms


@define(eq=False)
class Setting:
    alarms: Alarms = field(factory=Alarms)
    rung: list[tuple[str, float]] = field(factory=list)

    def set(self, name: str, after_s: float) -> Callable[[], None]:
        ring = partial(self._ring, name)
        self.alarms.set(ring, after_s)
        return ring

    def _ring(self, name: str) -> None:
        self.rung.append((name, trio.current_time()))


def start(nursery: trio.Nursery) -> Setting:
    setting = Setting()
    nursery.start_soon(setting.alarms.run)
    return setting


async def test_each_rings_in_its_time_and_once(nursery: trio.Nursery, autojump_clock: MockClock) -> None:
    setting = start(nursery)
    for name in "abc":
        setting.set(name, 10)
        await trio.sleep(1)
    await trio.sleep(100)
    assert setting.rung == [("a", 10), ("b", 11), ("c", 12)]


async def test_what_is_cleared_does_not_ring(nursery: trio.Nursery, autojump_clock: MockClock) -> None:
    setting = start(nursery)
    first = setting.set("a", 10)
    await trio.sleep(1)
    second = setting.set("b", 10)
    setting.alarms.clear(first)
    await trio.sleep(8)
    last = setting.set("c", 10)
    await trio.sleep(2.5)
    assert setting.rung == [("b", 11)]
    setting.alarms.clear(last)
    setting.alarms.clear(last)
    setting.alarms.clear(second)
    await trio.sleep(100)
    setting.set("d", 0.5)
    await trio.sleep(1)
    assert setting.rung == [("b", 11), ("d", 112)]


async def test_a_shorter_wait_is_over_when_the_longer_ones_before_it_are(
    nursery: trio.Nursery, autojump_clock: MockClock
) -> None:
    setting = start(nursery)
    setting.set("long", 10)
    setting.set("short", 1)
    await trio.sleep(20)
    assert setting.rung == [("long", 10), ("short", 10)]


async def test_all_at_once(nursery: trio.Nursery, autojump_clock: MockClock) -> None:
    setting = start(nursery)
    setting.set("a", 10)
    setting.set("b", 10)
    setting.alarms.ring_all()
    await trio.sleep(20)
    assert setting.rung == [("a", 0), ("b", 0)]


async def test_what_rings_may_set_and_clear_others(nursery: trio.Nursery, autojump_clock: MockClock) -> None:
    setting = start(nursery)
    setting.alarms.set(lambda: setting.alarms.clear(second), 1)
    second = setting.set("b", 1)

    def once_more() -> None:
        setting.set("c", 1)

    setting.alarms.set(once_more, 1)
    await trio.sleep(20)
    assert setting.rung == [("c", 2)]
