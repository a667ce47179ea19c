import os
import signal
from functools import partial

import pytest
import trio
import trio.testing

from clawgw.serve.stopping import Stop, exit_hard, obey_signals


def test_asked_once_it_drains_and_asked_twice_it_stops() -> None:
    stop = Stop()
    stop.ask()
    assert (stop.draining.is_set(), stop.at_once.is_set()) == (True, False)
    stop.drain()
    assert not stop.at_once.is_set()
    stop.ask()
    assert stop.at_once.is_set()


def unexpected() -> None:
    pytest.fail("it was not asked to reload")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_signals_stop(nursery: trio.Nursery, number: signal.Signals) -> None:
    stop = Stop()
    await nursery.start(obey_signals, stop.ask, unexpected)
    for event in (stop.draining, stop.at_once):
        os.kill(os.getpid(), number)
        with trio.fail_after(5):
            await event.wait()


async def test_sighup_reloads_and_does_not_stop(nursery: trio.Nursery) -> None:
    stop, asked = Stop(), trio.Event()
    await nursery.start(obey_signals, stop.ask, asked.set)
    os.kill(os.getpid(), signal.SIGHUP)
    with trio.fail_after(5):
        await asked.wait()
    assert not stop.draining.is_set()


async def left(stop: Stop, left_at: list[float], drain_s: float) -> None:
    await exit_hard(stop, lambda: drain_s, lambda code: left_at.append(trio.current_time() + code))


async def test_the_process_leaves_when_the_drain_should_be_over(
    nursery: trio.Nursery, autojump_clock: trio.testing.MockClock
) -> None:
    stop, left_at = Stop(), list[float]()
    nursery.start_soon(partial(left, stop, left_at, 30))
    await trio.sleep(1000)
    assert not left_at
    stop.drain()
    await trio.sleep(31.9)
    assert not left_at
    await trio.sleep(0.2)
    assert left_at == [1032.0]


async def test_told_to_stop_at_once_it_leaves_soon(
    nursery: trio.Nursery, autojump_clock: trio.testing.MockClock
) -> None:
    stop, left_at = Stop(), list[float]()
    nursery.start_soon(partial(left, stop, left_at, 30))
    stop.now()
    await trio.sleep(10)
    assert left_at == [2.0]
