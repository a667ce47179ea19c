"""A task that waits for a call, until a time: what a cancel scope and an event would do, for a fraction of the cost."""

import math
from typing import Generic, TypeVar

import trio
from attrs import define, field
from outcome import Error, Outcome

from clawgw.net.alarms import Alarms, alarms

T = TypeVar("T")


@define(eq=False)
class Waiter(Generic[T]):
    """Where one task waits for something."""

    _task: trio.lowlevel.Task | None = field(init=False, default=None, repr=False)
    _alarms: Alarms = field(init=False, factory=alarms, repr=False)

    def __bool__(self) -> bool:
        """Whether a task waits."""
        return self._task is not None

    async def wait(self, until: float = math.inf) -> T:
        """Until `wake` is called; what it says. `until` is a `trio.current_time()`.

        Raises `trio.TooSlowError` at that time, `trio.BusyResourceError` where another task waits.
        """
        if self._task is not None:
            raise trio.BusyResourceError("another task waits already")
        self._task = trio.lowlevel.current_task()
        alarm = self._alarms.set(until, self._give_up)
        try:
            given: T = await trio.lowlevel.wait_task_rescheduled(self._abort)
        finally:
            self._alarms.clear(alarm)
        return given

    def wake(self, given: Outcome[T]) -> None:
        """Let the task go on, if one waits."""
        task, self._task = self._task, None
        if task is not None:
            trio.lowlevel.reschedule(task, given)

    def _give_up(self) -> None:
        self.wake(Error(trio.TooSlowError()))

    def _abort(self, _: object) -> trio.lowlevel.Abort:
        self._task = None
        return trio.lowlevel.Abort.SUCCEEDED
