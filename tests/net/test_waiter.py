"""A task that waits for a call."""

import pytest
import trio
import trio.testing
from outcome import Error, Value

from clawgw.net.waiter import Waiter


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


async def test_a_wait_until_a_time_is_given_up_then(
    nursery: trio.Nursery, autojump_clock: trio.testing.MockClock
) -> None:
    waiter = Waiter[int]()
    for until in (2.5, 4.0):
        with pytest.raises(trio.TooSlowError):
            await waiter.wait(until)
        assert trio.current_time() == until
        assert not waiter
    nursery.start_soon(_wake_when_it_waits, waiter, 5)
    assert await waiter.wait(6.0) == 5
    await trio.sleep_until(7.0)


async def test_a_time_that_has_come_is_not_waited_for(autojump_clock: trio.testing.MockClock) -> None:
    await trio.sleep(1)
    with pytest.raises(trio.TooSlowError):
        await Waiter[int]().wait(1.0)
    assert trio.current_time() == 1.0


async def test_a_wait_that_was_cancelled_is_not_given_up_later(autojump_clock: trio.testing.MockClock) -> None:
    waiter = Waiter[int]()
    with trio.move_on_after(1):
        await waiter.wait(2.0)
    with pytest.raises(trio.TooSlowError):
        await waiter.wait(3.0)
    assert trio.current_time() == 3.0
