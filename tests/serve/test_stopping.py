import os
import signal
from functools import partial

import pytest
import trio
import trio.testing

from clawgw.serve.stopping import Stop, exit_hard, obey_signals, obey_supervisor


def test_asked_once_it_drains_and_asked_twice_it_stops() -> None:
    stop = Stop()
    stop.ask()
    assert (stop.draining.is_set(), stop.at_once.is_set()) == (True, False)
    stop.drain()
    assert not stop.at_once.is_set()
    stop.ask()
    assert stop.at_once.is_set()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_signals_stop(nursery: trio.Nursery, number: signal.Signals) -> None:
    stop = Stop()
    await nursery.start(obey_signals, stop.ask)
    for event in (stop.draining, stop.at_once):
        os.kill(os.getpid(), number)
        with trio.fail_after(5):
            await event.wait()


async def test_sighup_says_that_it_does_nothing_yet(nursery: trio.Nursery, caplog: pytest.LogCaptureFixture) -> None:
    stop = Stop()
    await nursery.start(obey_signals, stop.ask)
    os.kill(os.getpid(), signal.SIGHUP)
    os.kill(os.getpid(), signal.SIGTERM)
    with trio.fail_after(5):
        await stop.draining.wait()
    assert "reload is not available" in caplog.text
    assert not stop.at_once.is_set()


async def test_the_end_of_the_lifeline_stops_at_once(nursery: trio.Nursery) -> None:
    read_end, write_end = os.pipe()
    stop = Stop()
    nursery.start_soon(obey_supervisor, stop, read_end)
    await trio.testing.wait_all_tasks_blocked()
    assert not stop.draining.is_set()
    os.close(write_end)
    with trio.fail_after(5):
        await stop.at_once.wait()
    assert stop.draining.is_set()
    os.close(read_end)


async def left(stop: Stop, left_at: list[float], drain_s: float) -> None:
    await exit_hard(stop, drain_s, lambda code: left_at.append(trio.current_time() + code))


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
