"""What time it is in Redis, as far as its answers have told."""

import math

from attrs import define

DRIFT = 1e-3
"""So much may two clocks drift apart; a clock that was set back is believed again at this rate."""


@define
class RedisClock:
    """A lower bound: an answer's time was true before the answer came. `now_s` is the clock of this process."""

    _ahead_ms: float = 0.0
    _heard_s: float = -math.inf

    def heard(self, redis_ms: int, now_s: float) -> None:
        """An answer said this time. The quickest answers of late know best."""
        ahead_ms = redis_ms - now_s * 1000
        faded_ms = self._ahead_ms - max(0.0, now_s - self._heard_s) * 1000 * DRIFT
        self._ahead_ms, self._heard_s = max(ahead_ms, faded_ms), now_s

    def ms(self, now_s: float) -> int:
        """Milliseconds since the epoch, for a moment of this process; nonsense until something was heard."""
        return int(now_s * 1000 + self._ahead_ms)
