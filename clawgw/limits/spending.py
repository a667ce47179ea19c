"""What is spent of a budget in a window of the calendar. Pure."""

from attrs import define, field

from clawgw.limits.arithmetic import MAX_LIMIT, SET_BACK_MS
from clawgw.limits.bucket import Bucket, Spent, Standing
from clawgw.limits.windows import window


@define(eq=False)
class Spending:
    """An `Account`. Of a window that is over nothing is charged or given back any more."""

    bucket: Bucket
    used: int = 0
    at_ms: int = 0
    unused_from_ms: int = field(default=0, init=False)
    _window: tuple[int, int] = field(default=(0, 0), init=False)
    """The one that was asked about last."""

    def advance(self, now_ms: int) -> None:
        """As `Gauge.advance`."""
        moment_ms = self.at_ms if 0 < self.at_ms - now_ms <= SET_BACK_MS else now_ms
        start_ms, self.unused_from_ms = self._window_of(moment_ms)
        if start_ms != self.at_ms:
            self.used, self.at_ms = 0, start_ms

    def take(self, now_ms: int, amount: int) -> Standing | None:
        """As `Account.take`."""
        if self.used + amount > self.bucket.limit:
            return None
        self.used += amount
        return self.standing(now_ms)

    def seed(self, spent: Spent) -> None:
        """At least so much was spent, if in this window: whoever has counted more knows better."""
        if self.at_ms == spent.since_ms:
            self.used = max(self.used, min(spent.amount, MAX_LIMIT["usd"]))

    def settle(self, amount: int, used: int, taken_at_ms: int) -> None:
        """As `Account.settle`."""
        if self.at_ms == taken_at_ms:
            self.used = min(max(0, self.used + used - amount), MAX_LIMIT["usd"])

    def standing(self, now_ms: int, asked: int = 0) -> Standing:
        """As `Gauge.standing`."""
        left, ends_in_ms = self.bucket.limit - self.used, self._window_of(self.at_ms)[1] - now_ms
        return Standing(self.bucket, max(0, left), ends_in_ms, ends_in_ms if asked > left else 0)

    def _window_of(self, moment_ms: int) -> tuple[int, int]:
        start_ms, end_ms = self._window
        if not start_ms <= moment_ms < end_ms:
            self._window = window(self.bucket.per, moment_ms)
        return self._window
