"""Places for requests at once. Each is held by a lease, so that nobody takes one to the grave. Pure."""

from attrs import define, field

from clawgw.limits.arithmetic import SET_BACK_MS
from clawgw.limits.bucket import Bucket, Standing

LEASE_MS = 30_000
"""A place that is not renewed for so long is free again: its process has died."""
PLACE_WAIT_MS = 1_000
"""Nobody knows when a place becomes free; this is a guess to answer with."""
LEASE_TICKS = 8
LEASE_TICK_MS = LEASE_MS // LEASE_TICKS
"""Leases end on whole ticks, so that all that were taken in one tick can be counted together."""
_SET_BACK_TICKS = SET_BACK_MS // LEASE_TICK_MS


@define(eq=False)
class Places:
    """A `Gauge` of which the leases are kept elsewhere: here time changes nothing."""

    bucket: Bucket
    used: int = 0
    at_ms: int = 0

    def advance(self, now_ms: int) -> None:
        """As `Gauge.advance`."""

    def standing(self, now_ms: int, asked: int = 0) -> Standing:  # noqa: ARG002 - as others
        """As `Gauge.standing`."""
        left = self.bucket.limit - self.used
        return Standing(self.bucket, max(0, left), 0, PLACE_WAIT_MS if asked > left else 0)


@define(eq=False)
class LeasedPlaces(Places):
    """An `Account` of places, counted by the tick in which each was taken or last renewed: they end together.

    `at_ms` is when the newest of these ticks began.
    """

    unused_from_ms: int = field(default=0, init=False)
    counts: list[int] = field(factory=lambda: [0] * LEASE_TICKS)
    """Of the last `LEASE_TICKS` ticks, each at its number modulo that."""

    def advance(self, now_ms: int) -> None:
        """As `Gauge.advance`: places whose leases have ended are gone."""
        passed = (now_ms - self.at_ms) // LEASE_TICK_MS
        if passed > 0 or passed < -_SET_BACK_TICKS:
            self._pass(passed)
        self.used = sum(self.counts)

    def take(self, _now_ms: int, amount: int) -> Standing | None:
        """As `Account.take`."""
        left = self.bucket.limit - self.used - amount
        if left < 0:
            return None
        self._add(amount, _index(self.at_ms))
        return Standing(self.bucket, left, 0)

    def settle(self, amount: int, _used: int, taken_at_ms: int) -> None:
        """As `Account.settle`: free the places, where their leases have not ended."""
        if self._lasts(taken_at_ms):
            index = _index(taken_at_ms)
            self._add(-min(amount, self.counts[index]), index)

    def renew(self, amount: int, taken_at_ms: int) -> int:
        """The leases of places that were taken then, where they have not ended, begin anew; when they now do."""
        if not self._lasts(taken_at_ms):
            return taken_at_ms
        self.settle(amount, 0, taken_at_ms)
        self._add(amount, _index(self.at_ms))
        return self.at_ms

    def _lasts(self, taken_at_ms: int) -> bool:
        """Whether a lease of then has not ended; what lies ahead is of before a clock was set back."""
        return 0 <= self.at_ms - taken_at_ms < LEASE_MS

    def _pass(self, ticks: int) -> None:
        """So many later, or a clock was set back, and nobody knows what is held."""
        if 0 < ticks < LEASE_TICKS:
            for passed in range(1, ticks + 1):
                self.counts[_index(self.at_ms + passed * LEASE_TICK_MS)] = 0
        else:
            self.counts = [0] * LEASE_TICKS
        self.at_ms += ticks * LEASE_TICK_MS

    def _add(self, amount: int, index: int) -> None:
        self.counts[index] += amount
        self.used += amount
        self.unused_from_ms = self.at_ms + LEASE_MS if self.used else 0


def _index(at_ms: int) -> int:
    return at_ms // LEASE_TICK_MS % LEASE_TICKS
