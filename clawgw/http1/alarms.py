"""One timer for many waits of the same length, most of which end before it rings.

A cancel scope for each wait would cost more than the rest of a small request's input and output. Here a wait costs an
entry in a dictionary: what began first rings first, so the entries are in order by themselves.
"""

import math
from collections.abc import Callable

import trio
from attrs import define, field


@define(eq=False)
class Alarms:
    """Calls what has not been cleared in time; `run` runs beside."""

    _due: dict[Callable[[], None], float] = field(factory=dict, init=False, repr=False)
    _last_due: float = field(default=-math.inf, init=False)
    _wakes_at: float = field(default=math.inf, init=False)
    """When `_sleep` is over."""
    _sleep: trio.CancelScope = field(factory=trio.CancelScope, init=False, repr=False)

    def set(self, ring: Callable[[], None], after_s: float) -> None:
        """Call `ring` after so many seconds: never earlier, later only where the waits before were longer."""
        self._last_due = due = max(self._last_due, trio.current_time() + after_s)
        self._due[ring] = due
        if due < self._wakes_at:
            self._wakes_at = self._sleep.deadline = due

    def clear(self, ring: Callable[[], None]) -> None:
        """Do not; harmless where it was called, or never set."""
        self._due.pop(ring, None)

    def ring_all(self) -> None:
        """Call all that are set, now."""
        self._ring(math.inf)

    async def run(self) -> None:
        """For ever."""
        while True:
            with self._sleep:
                await trio.sleep_forever()
            self._ring(trio.current_time())
            self._wakes_at = next(iter(self._due.values()), math.inf)
            self._sleep = trio.CancelScope(deadline=self._wakes_at)

    def _ring(self, now: float) -> None:
        for ring, due in [*self._due.items()]:
            if due > now:
                break
            if self._due.get(ring) == due:  # else one that rang has cleared it
                del self._due[ring]
                ring()
