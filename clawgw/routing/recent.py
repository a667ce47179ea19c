"""How often something has happened lately, in constant memory."""

from attrs import define, field

BUCKETS = 10


@define(eq=False)
class RecentCount:
    """Events of the last `window_s` seconds, of the caller's clock, which never goes back.

    Time is cut into buckets of a tenth of the window. The present bucket and the nine before it count, so that an event
    is forgotten when it is between nine tenths of the window and the whole window old.
    """

    window_s: float
    _counts: list[int] = field(init=False, factory=lambda: [0] * BUCKETS)
    _total: int = field(init=False, default=0)
    _present: int = field(init=False, default=0)

    def add(self, now: float) -> None:
        """One more."""
        present = int(now * BUCKETS / self.window_s)
        if present > self._present:
            self._advance(present)
        self._counts[self._present % BUCKETS] += 1
        self._total += 1

    def total(self, now: float) -> int:
        """How many there were."""
        present = int(now * BUCKETS / self.window_s)
        if present > self._present:
            self._advance(present)
        return self._total

    def _advance(self, present: int) -> None:
        for bucket in range(max(self._present, present - BUCKETS) + 1, present + 1):
            self._total -= self._counts[bucket % BUCKETS]
            self._counts[bucket % BUCKETS] = 0
        self._present = present
