"""Sockets that are watched, and a task that waits for a call."""

import socket
from collections.abc import Iterator

import pytest
import trio
import trio.testing
from outcome import Error, Value

from clawgw.net.readiness import Waiter, readiness

Pair = tuple[socket.socket, socket.socket]


@pytest.fixture
def pair() -> Iterator[Pair]:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        ours.settimeout(0)
        yield ours, theirs


async def settled() -> None:
    """What has been sent over loopback has been announced."""
    await trio.testing.wait_all_tasks_blocked(0.01)


async def test_it_calls_for_as_long_as_there_is_something_to_read(pair: Pair) -> None:
    ours, theirs = pair
    read: list[bytes] = []
    readiness().watch(ours.fileno(), lambda: read.append(ours.recv(2)))
    await settled()
    assert read == []
    theirs.send(b"abc")
    await settled()
    assert read == [b"ab", b"c"]
    readiness().unwatch(ours.fileno())
    theirs.send(b"d")
    await settled()
    assert read == [b"ab", b"c"]


async def test_the_end_is_something_to_read(pair: Pair) -> None:
    ours, theirs = pair
    ended = trio.Event()
    readiness().watch(ours.fileno(), ended.set)
    theirs.shutdown(socket.SHUT_WR)
    with trio.fail_after(5):
        await ended.wait()
    readiness().unwatch(ours.fileno())


async def test_there_is_one_in_a_run() -> None:
    assert readiness() is readiness()


def test_each_run_has_its_own() -> None:
    async def its_own() -> object:
        return readiness()

    assert trio.run(its_own) is not trio.run(its_own)


async def test_a_task_gets_what_it_is_woken_with(nursery: trio.Nursery) -> None:
    waiter = Waiter[int]()
    assert not waiter
    waiter.wake(Value(1))
    for given in (2, 3):
        nursery.start_soon(_wake_when_it_waits, waiter, given)
        assert await waiter.wait() == given
    assert not waiter


async def _wake_when_it_waits(waiter: Waiter[int], given: int) -> None:
    await trio.testing.wait_all_tasks_blocked()
    assert waiter
    waiter.wake(Value(given))


async def test_or_raises_it(nursery: trio.Nursery) -> None:
    waiter = Waiter[int]()

    async def fail() -> None:
        await trio.testing.wait_all_tasks_blocked()
        waiter.wake(Error(OSError("gone")))

    nursery.start_soon(fail)
    with pytest.raises(OSError, match="gone"):
        await waiter.wait()


async def test_a_wait_may_be_cancelled_and_taken_up_again(nursery: trio.Nursery) -> None:
    waiter = Waiter[int]()
    with trio.move_on_after(0) as scope:
        await waiter.wait()
    assert scope.cancelled_caught
    assert not waiter
    nursery.start_soon(_wake_when_it_waits, waiter, 4)
    assert await waiter.wait() == 4


async def test_one_task_waits_at_a_time(nursery: trio.Nursery) -> None:
    waiter = Waiter[int]()
    nursery.start_soon(waiter.wait)
    await trio.testing.wait_all_tasks_blocked()
    with pytest.raises(trio.BusyResourceError):
        await waiter.wait()
    waiter.wake(Value(0))
