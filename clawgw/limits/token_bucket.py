"""A token bucket: of requests or tokens per minute, of which what is used drains.

It is counted in 1/60000 of a request or token: then `limit` a minute drains exactly `limit` of these units a
millisecond, and nothing is ever rounded. It may be up to twice what the bucket holds, which is a debt of one whole
limit. Pure.
"""

from attrs import define, field

from clawgw.limits.arithmetic import SET_BACK_MS
from clawgw.limits.bucket import Bucket, Standing

PARTS = 60_000
"""Into how many parts a request or token is divided."""


@define(eq=False)
class TokenBucket:
    """An `Account`.

    After a clock was set back nobody knows how much is used: nothing, lest it refuse until that time comes once more.
    """

    bucket: Bucket
    used: int = 0
    at_ms: int = 0
    unused_from_ms: int = field(default=0, init=False)
    _full: int = field(init=False)
    _most: int = field(init=False)
    _drain: int = field(init=False)
    """Parts a millisecond; not 0 where the limit is, but then nothing is ever used."""
    _excess: int = field(default=0, init=False)
    """What is used beyond a debt of one limit, as another limit has let it."""

    def __attrs_post_init__(self) -> None:
        """Have the bucket's numbers at hand."""
        self._full = self.bucket.limit * PARTS
        self._most = 2 * self._full
        self._drain = max(self.bucket.limit, 1)

    def advance(self, now_ms: int) -> None:
        """As `Gauge.advance`."""
        passed_ms, used = now_ms - self.at_ms, self.used
        self._excess = 0
        if passed_ms < -SET_BACK_MS:
            self.used, self.at_ms = 0, now_ms
            return
        drained = 0
        if passed_ms > 0:
            drained, self.at_ms = passed_ms * self._drain, now_ms
        self.used = left = used - drained if used > drained else 0
        if used > self._most:
            self.used = max(0, self._most - drained)
            self._excess = left - self.used

    def take(self, now_ms: int, amount: int) -> Standing | None:
        """As `Account.take`."""
        used = self.used + amount * PARTS
        left = self._full - used
        if left < 0:
            return None
        self.used, self.unused_from_ms = used, self.at_ms - -used // self._drain
        return Standing(self.bucket, left // PARTS, self.unused_from_ms - now_ms if used else 0)

    def settle(self, amount: int, used: int, _taken_at_ms: int) -> None:
        """As `Account.settle`; the debt is never more than the limit, or than it is already.

        A limit that was raised since the reservation has let more pass, and that is not forgiven.
        """
        found = self.used + self._excess
        charged = found + (used - amount) * PARTS
        self.used = 0 if charged < 0 else min(charged, max(found, self._most))
        self.unused_from_ms = self.at_ms - -self.used // self._drain

    def standing(self, now_ms: int, asked: int = 0) -> Standing:
        """As `Gauge.standing`."""
        left = self._full - self.used
        reset_ms = self._until_drained_ms(now_ms, self.used)
        wait_ms = self._until_drained_ms(now_ms, asked * PARTS - left)
        return Standing(self.bucket, max(0, left // PARTS), reset_ms, wait_ms)

    def _until_drained_ms(self, now_ms: int, parts: int) -> int:
        return self.at_ms - -parts // self._drain - now_ms if parts > 0 else 0
