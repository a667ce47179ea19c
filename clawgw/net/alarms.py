"""Calls at a time, for waits most of which end before: one timer for all of them.

A cancel scope for each wait would cost more than the rest of a small request's input and output. Here it costs an entry
in a heap and one in a dictionary. What is cleared leaves the heap when it comes to the top, or with all its like.
"""

import itertools
import math
from collections.abc import Callable, Iterator
from heapq import heappop, heappush

import trio
from attrs import define, field

from clawgw.net.per_run import one_per_run

_ROOM = 1000
"""Of the heap, beside twice what was in use when it was last cleared up."""


@define(eq=False)
class Alarms:
    """All of one run of Trio's; `alarms` gives it. Times are `trio.current_time()`."""

    _calls: dict[int, Callable[[], None]] = field(init=False, factory=dict, repr=False)
    _due: list[tuple[float, int]] = field(init=False, factory=list, repr=False)
    _room: int = field(init=False, default=_ROOM)
    _numbers: Iterator[int] = field(init=False, factory=itertools.count, repr=False)
    _wakes_at: float = field(init=False, default=math.inf)
    """When `_sleep` is over."""
    _sleep: trio.CancelScope = field(init=False, factory=trio.CancelScope, repr=False)

    def set(self, at: float, call: Callable[[], None]) -> int:
        """Call `call`, which must not raise, at that time, or soon where it has come. Returns what clears it."""
        number = next(self._numbers)
        self._calls[number] = call
        heappush(self._due, (at, number))
        if at < self._wakes_at:
            self._wakes_at = self._sleep.deadline = at
        if len(self._due) > self._room:
            self._clear_up()
        return number

    def clear(self, number: int) -> None:
        """Do not; harmless where it was called."""
        self._calls.pop(number, None)

    async def run(self) -> None:
        """For ever."""
        while True:
            with self._sleep:
                await trio.sleep_forever()
            self._ring(trio.current_time())
            self._wakes_at = self._due[0][0] if self._due else math.inf
            self._sleep = trio.CancelScope(deadline=self._wakes_at)

    def _clear_up(self) -> None:
        self._due = sorted(entry for entry in self._due if entry[1] in self._calls)
        self._room = 2 * len(self._due) + _ROOM

    def _ring(self, now: float) -> None:
        """Call what is due. What was cleared goes, up to the next that was not: nobody is to wake for it."""
        while self._due and (self._due[0][0] <= now or self._due[0][1] not in self._calls):
            call = self._calls.pop(heappop(self._due)[1], None)
            if call is not None:
                call()


alarms = one_per_run(Alarms)
