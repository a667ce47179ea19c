"""The breaker of one key at one target: what keeps failing is left alone for a while, then asked carefully.

Closed, everything passes. It opens at so many failures in a row, or at a share of failures over a window. Open,
nothing passes, for twice as long each time in a row. Then it is half open: one probe at a time passes; successes close
it, a failure opens it again (Nygard, "Release It!", chapter 5).
"""

import math

from attrs import Factory, define, field

from clawgw.config.tables import attempts
from clawgw.policy import BreakerState
from clawgw.routing.recent import RecentCount

MAX_OPEN_S = 300.0
SCATTER = 0.2
"""An open period is longer or shorter by up to this share, so that not all targets are probed at once."""
CLOSING_SUCCESSES = 2


@define(eq=False)
class Breaker:
    """Times are seconds of the caller's clock.

    Whoever was let through by `admit` reports one of `succeeded`, `failed` and `neutral`. A probe that never reports
    blocks the next one only for as long as the breaker was open.
    """

    _settings: attempts.Breaker
    epoch: int = field(init=False, default=0)
    """How often it has opened. What an attempt of an earlier epoch comes to is old news, and not to be reported."""
    admits_from: float = field(init=False, default=-math.inf)
    """When `admit` lets one through, if none comes before."""
    _closed: bool = field(init=False, default=True)
    _open_until: float = field(init=False, default=-math.inf)
    _period_s: float = field(init=False, default=0.0)
    _next_s: float = field(init=False, default=Factory(lambda self: self._settings.open_s, takes_self=True))
    _in_a_row: int = field(init=False, default=0)
    """Failures while closed, successes while half open."""
    _outcomes: RecentCount = field(init=False)
    _failures: RecentCount = field(init=False)

    def __attrs_post_init__(self) -> None:
        self._forget_outcomes()

    def state(self, now: float) -> BreakerState:
        """Closed, open or half_open."""
        if self._closed:
            return "closed"
        return "open" if now < self._open_until else "half_open"

    def admit(self, now: float) -> bool:
        """Whether an attempt may start. Half open, it takes the probe's place."""
        if now < self.admits_from:
            return False
        if not self._closed:
            self.admits_from = now + self._period_s
        return True

    def reopens_in(self, now: float) -> float:
        """Seconds until `admit` lets one through; 0 if it would now."""
        return max(0.0, self.admits_from - now)

    def failure_ratio(self, now: float) -> float:
        """The share of failures over the window, without the neutral outcomes."""
        outcomes = self._outcomes.total(now)
        return self._failures.total(now) / outcomes if outcomes else 0.0

    def succeeded(self, now: float) -> None:
        """An attempt was answered."""
        if self._closed:
            self._outcomes.add(now)
            self._in_a_row = 0
        elif now >= self._open_until:
            self.admits_from = now
            self._in_a_row += 1
            if self._in_a_row == CLOSING_SUCCESSES:
                self._close()

    def failed(self, now: float, random: float) -> None:
        """An attempt failed by the target's fault. `random`, in [0, 1), scatters the open period."""
        match self.state(now):
            case "closed":
                self._outcomes.add(now)
                self._failures.add(now)
                self._in_a_row += 1
                if self._too_many(now):
                    self._open(now, random)
            case "half_open":
                self._open(now, random)

    def neutral(self, now: float) -> None:
        """An attempt ended and says nothing of the target: the client's own fault, or nobody wanted it any more."""
        if self.state(now) == "half_open":
            self.admits_from = now

    def _too_many(self, now: float) -> bool:
        if self._in_a_row >= self._settings.consecutive_failures:
            return True
        enough = self._outcomes.total(now) >= self._settings.min_requests
        return enough and self.failure_ratio(now) >= self._settings.failure_ratio

    def _open(self, now: float, random: float) -> None:
        longest_s = max(MAX_OPEN_S, self._settings.open_s)
        self._period_s = min(longest_s, self._next_s * (1 - SCATTER + 2 * SCATTER * random))
        self._next_s = min(longest_s, 2 * self._next_s)
        self._open_until = self.admits_from = now + self._period_s
        self._closed = False
        self._in_a_row = 0
        self.epoch += 1

    def _close(self) -> None:
        self._closed = True
        self._next_s = self._settings.open_s
        self._in_a_row = 0
        self._forget_outcomes()

    def _forget_outcomes(self) -> None:
        self._outcomes = RecentCount(self._settings.window_s)
        self._failures = RecentCount(self._settings.window_s)
