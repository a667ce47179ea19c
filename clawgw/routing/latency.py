"""How fast a target answers: the quantiles of the last minute, and an average that takes a slow answer at once.

A sample is the time to an answer, or, where an attempt was ended before, a time within which no answer came. Without
the second kind (it is *censored*) a target that loses every race would have no latency at all, and one that is hedged
would look faster the more often its slow answers are cut off.
"""

import math
from collections import deque
from collections.abc import Iterable

from attrs import define, field

from clawgw.policy import Quantiles

WINDOW_S = 60.0
MAX_SAMPLES = 1024
"""The newest ones count where there are more in the window."""
MIN_ANSWERS = 50
"""With fewer, no quantile is known."""
REFRESH_S = 1.0
"""Quantiles are read for every request and worked out once in so many seconds."""
DECAY_S = 10.0


@define(eq=False)
class PeakEwma:
    """An exponentially weighted average over time that a higher sample replaces at once (Finagle's `PeakEwma`).

    It fades while nothing is observed: a target that was slow once and is left alone since is tried again.
    """

    _average: float | None = field(init=False, default=None)
    _at: float = field(init=False, default=0.0)

    def observe(self, seconds: float, now: float) -> None:
        """A sample."""
        if self._average is None or seconds >= self._average:
            self._average = seconds
        else:
            weight = self._weight(now)
            self._average = self._average * weight + seconds * (1 - weight)
        self._at = now

    def at_least(self, seconds: float, now: float) -> None:
        """A lower bound: it counts if it is above the average, and tells nothing if it is not."""
        if seconds > (self.value(now) or 0.0):
            self._average = seconds
            self._at = now

    def value(self, now: float) -> float | None:
        """The average at this moment; None: no sample ever."""
        return None if self._average is None else self._average * self._weight(now)

    def _weight(self, now: float) -> float:
        return math.exp((self._at - now) / DECAY_S)


_Sample = tuple[float, float, bool]
"""When it was taken, the seconds, and whether these are only a lower bound."""


@define(eq=False)
class RecentQuantiles:
    """Quantiles over a sliding window, by the Kaplan-Meier estimate (1958).

    An answer that was not waited for is somewhere above its bound, so its share is spread over the longer samples.
    Without such samples this is the usual quantile: the smallest sample that is at least as long as the share `q` of
    all. The longest sample is taken as an answer, whichever it is (Efron, 1967).
    """

    _samples: deque[_Sample] = field(init=False, factory=lambda: deque(maxlen=MAX_SAMPLES))
    _answers: int = field(init=False, default=0)
    _estimate: Quantiles | None = field(init=False, default=None)
    _estimated_at: float = field(init=False, default=-math.inf)

    def add(self, seconds: float, now: float, *, censored: bool = False) -> None:
        """A sample, or with `censored` its lower bound."""
        samples = self._samples
        if len(samples) == MAX_SAMPLES:
            self._answers -= not samples[0][2]
        samples.append((now, seconds, censored))
        self._answers += not censored

    def known(self, now: float) -> Quantiles | None:
        """None: there are too few answers."""
        while self._samples and now - self._samples[0][0] > WINDOW_S:
            _, _, censored = self._samples.popleft()
            self._answers -= not censored
        if self._answers < MIN_ANSWERS:
            return None
        if now - self._estimated_at >= REFRESH_S:
            self._estimate = _estimate(self._samples)
            self._estimated_at = now
        return self._estimate


def _estimate(samples: Iterable[_Sample]) -> Quantiles:
    times, shares = list[float](), list[float]()
    longer = 1.0
    ordered = sorted((seconds, censored) for _, seconds, censored in samples)
    for left, (seconds, censored) in zip(range(len(ordered), 0, -1), ordered, strict=True):
        if not censored or left == 1:
            longer *= 1 - 1 / left
            times.append(seconds)
            shares.append(1 - longer)
    return Quantiles(times, shares)


@define(eq=False)
class Latency:
    """Of one target. Times are seconds; `now` is the caller's clock."""

    _peak: PeakEwma = field(init=False, factory=PeakEwma)
    _recent: RecentQuantiles = field(init=False, factory=RecentQuantiles)

    def observe(self, seconds: float, now: float) -> None:
        """An answer came after so long."""
        self._peak.observe(seconds, now)
        self._recent.add(seconds, now)

    def at_least(self, seconds: float, now: float) -> None:
        """An attempt was ended when it had no answer after so long."""
        self._peak.at_least(seconds, now)
        self._recent.add(seconds, now, censored=True)

    def quantiles(self, now: float) -> Quantiles | None:
        """What shares of the answers took at most, as known within the last second; None: too few answers."""
        return self._recent.known(now)

    def quantile(self, q: float, now: float) -> float | None:
        """One of them."""
        known = self.quantiles(now)
        return None if known is None else known.at(q)

    def peak_ewma(self, now: float) -> float | None:
        """The moving average with its peaks; None: no sample ever."""
        return self._peak.value(now)
