"""Which sockets can be read: asked of the system for all of them together, and each is announced once.

Trio's own `wait_readable` tells the system of every wait, and wakes a task for it. Here a socket stays announced for as
long as anybody cares, and what can be read is a call: of many sockets that have something, one task of Trio's is woken.
"""

import selectors
from collections.abc import Callable
from typing import Generic, TypeVar

import trio
from attrs import define, field
from outcome import Outcome

T = TypeVar("T")


@define(eq=False)
class Readiness:
    """All sockets of one run of Trio's; `readiness` gives it."""

    _selector: selectors.DefaultSelector = field(init=False, factory=selectors.DefaultSelector, repr=False)

    def watch(self, fd: int, ready: Callable[[], None]) -> None:
        """Call `ready`, which must not raise, whenever and as long as there is something to read, or the end."""
        self._selector.register(fd, selectors.EVENT_READ, ready)

    def unwatch(self, fd: int) -> None:
        """No more. To be said before a socket that is watched is closed."""
        self._selector.unregister(fd)

    async def run(self) -> None:
        """For ever."""
        with self._selector as selector:
            while True:
                await trio.lowlevel.wait_readable(selector.fileno())
                for key, _ in selector.select(0):
                    key.data()


_of_this_run: trio.lowlevel.RunVar[Readiness] = trio.lowlevel.RunVar("readiness")


def readiness() -> Readiness:
    """That of the run; the first to ask starts it."""
    try:
        return _of_this_run.get()
    except LookupError:
        started = Readiness()
        _of_this_run.set(started)
        trio.lowlevel.spawn_system_task(started.run)
        return started


@define(eq=False)
class Waiter(Generic[T]):
    """Where one task waits for something."""

    _task: trio.lowlevel.Task | None = None

    def __bool__(self) -> bool:
        """Whether a task waits."""
        return self._task is not None

    async def wait(self) -> T:
        """Until `wake` is called; what it says. Raises `trio.BusyResourceError` where another task waits."""
        if self._task is not None:
            raise trio.BusyResourceError("another task waits already")
        self._task = trio.lowlevel.current_task()
        given: T = await trio.lowlevel.wait_task_rescheduled(self._abort)
        return given

    def wake(self, given: Outcome[T]) -> None:
        """Let the task go on, if one waits."""
        task, self._task = self._task, None
        if task is not None:
            trio.lowlevel.reschedule(task, given)

    def _abort(self, _: object) -> trio.lowlevel.Abort:
        self._task = None
        return trio.lowlevel.Abort.SUCCEEDED
