"""What a 429 does to a key at a target: nothing is sent for a while. That is no fault and opens no breaker."""

import math

from attrs import define, field

FIRST_S = 1.0
"""How long it lasts where the upstream says nothing; twice as long each time in a row."""
MAX_UNTOLD_S = 30.0
MAX_TOLD_S = 3600.0
"""The longest hint that is taken whole: it may be a broken date, and one attempt an hour finds that out."""


@define(eq=False)
class CoolDown:
    """Times are seconds of the caller's clock."""

    until: float = field(init=False, default=-math.inf)
    """When it ends, or has ended."""
    _next_s: float = field(init=False, default=FIRST_S)

    def throttled(self, now: float, hint_s: float | None = None) -> None:
        """The upstream wants to be left alone, for `hint_s` seconds if it says so.

        Where many attempts are throttled at once, those after the first tell nothing new, and only a later end counts.
        """
        if hint_s is not None:
            self.until = max(self.until, now + min(hint_s, MAX_TOLD_S))
        elif now >= self.until:
            self.until = now + self._next_s
            self._next_s = min(2 * self._next_s, MAX_UNTOLD_S)

    def succeeded(self) -> None:
        """The upstream has answered: the next one is the first again. One under way runs on."""
        self._next_s = FIRST_S

    def left_s(self, now: float) -> float:
        """Seconds until something may be sent; 0 if it may now."""
        return max(0.0, self.until - now)
