"""Virtual time; `rung` are names and times."""

from collections import defaultdict
from functools import partial

import trio
import trio.testing
from attrs import define, field
from hypothesis import given
from hypothesis import strategies as st
from trio.testing import MockClock

from clawgw.net.alarms import Alarms, alarms


@define(eq=False)
class Setting:
    alarms: Alarms = field(factory=alarms)
    rung: list[tuple[str, float]] = field(factory=list)

    def set(self, name: str, at: float) -> int:
        return self.alarms.set(at, partial(self.ring, name))

    def ring(self, name: str) -> None:
        self.rung.append((name, trio.current_time()))


async def test_there_is_one_in_a_run() -> None:
    assert alarms() is alarms()


async def test_each_rings_in_its_time_and_once(autojump_clock: MockClock) -> None:
    setting = Setting()
    for name, at in [("c", 10.5), ("a", 5.0), ("d", 12.0), ("b", 10.5)]:
        setting.set(name, at)
    await trio.sleep(11)
    setting.set("e", 11.5)
    await trio.sleep(100)
    assert setting.rung == [("a", 5.0), ("c", 10.5), ("b", 10.5), ("e", 11.5), ("d", 12.0)]


async def test_what_is_due_already_rings_at_once(autojump_clock: MockClock) -> None:
    setting = Setting()
    await trio.sleep(5)
    setting.set("a", 3)
    await trio.testing.wait_all_tasks_blocked()
    assert setting.rung == [("a", 5)]


async def test_what_is_cleared_does_not_ring(autojump_clock: MockClock) -> None:
    setting = Setting()
    first = setting.set("a", 10)
    second = setting.set("b", 11)
    setting.alarms.clear(first)
    await trio.sleep(10.5)
    last = setting.set("c", 12)
    await trio.sleep(1)
    assert setting.rung == [("b", 11)]
    for alarm in (first, second, last, last):
        setting.alarms.clear(alarm)
    await trio.sleep(100)
    setting.set("d", 112)
    await trio.sleep(1)
    assert setting.rung == [("b", 11), ("d", 112)]


async def test_what_rings_may_set_and_clear_others(autojump_clock: MockClock) -> None:
    setting = Setting()
    others: list[int] = []

    def ring() -> None:
        setting.alarms.clear(others[0])
        setting.set("c", 1)
        setting.set("d", 2)

    setting.alarms.set(1, ring)
    others.append(setting.set("b", 1))
    await trio.sleep(20)
    assert setting.rung == [("c", 1), ("d", 2)]


async def test_it_wakes_for_nothing_that_was_cleared(autojump_clock: MockClock) -> None:
    setting, wakings = Setting(), 0

    class Wakings(trio.abc.Instrument):
        def after_io_wait(self, timeout: float) -> None:
            nonlocal wakings
            wakings += 1

    for at in range(100):
        setting.alarms.clear(setting.set("never", 10 + at))
    setting.set("a", 200)
    trio.lowlevel.add_instrument(Wakings())
    await trio.sleep(300)
    assert setting.rung == [("a", 200)]
    assert wakings < 20


async def test_what_was_cleared_takes_no_room(autojump_clock: MockClock) -> None:
    setting = Setting()
    setting.set("a", 1000)
    for _ in range(10_000):
        setting.alarms.clear(setting.set("never", 500))
    assert len(setting.alarms._due) < 1100
    await trio.sleep(2000)
    assert setting.rung == [("a", 1000)]


Script = list[tuple[int, int | None]]
"""Alarms by when they are due; if that is a number, when they are cleared, else never."""


@given(script=st.lists(st.tuples(st.integers(1, 20), st.none() | st.integers(0, 20))))
def test_they_ring_as_cancel_scopes_would_end(script: Script) -> None:
    async def scenario() -> None:
        setting = Setting()
        cleared_at = defaultdict(list)
        for index, (due, cleared) in enumerate(script):
            alarm = setting.set(str(index), due)
            if cleared is not None:
                cleared_at[cleared].append(alarm)
        for now in range(21):
            await trio.sleep_until(now - 0.5)
            for alarm in cleared_at[now]:
                setting.alarms.clear(alarm)
        await trio.sleep(2)
        rings = [(str(index), due) for index, (due, cleared) in enumerate(script) if cleared is None or cleared > due]
        assert sorted(setting.rung) == sorted(rings)

    trio.run(scenario, clock=MockClock(autojump_threshold=0))


async def test_a_time_without_end_never_comes(autojump_clock: MockClock) -> None:
    setting = Setting()
    setting.set("never", float("inf"))
    await trio.sleep(3600)
    assert setting.rung == []
