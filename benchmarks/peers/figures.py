"""What is read off a load: figures, their spread over several rounds, and how many times better one is than another."""

import statistics
from collections.abc import Callable, Mapping, Sequence
from typing import Self

from attrs import define, field, frozen

from benchmarks.peers.load import Result

DIRECT = "no gateway"
"""The contender that is the upstream itself."""


@frozen
class Outcome:
    """A load, and the CPU seconds of the gateway's processes that answer, and of those beside them, meanwhile."""

    result: Result
    cpu_s: float
    aside_cpu_s: float


NOTHING = Outcome(Result(0, 0, 0, 0, 0, 0, 0, 0, 0), 0, 0)
"""What is taken off where there is nothing to compare with."""


@frozen
class Figure:
    """How to read one off an outcome, `direct` being the outcome without any gateway in the same round."""

    title: str
    of: Callable[[Outcome, Outcome], float]
    more_is_better: bool = False


@frozen
class Spread:
    """The same figure in several rounds."""

    median: float
    least: float
    most: float

    @classmethod
    def of(cls, values: Sequence[float]) -> Self:
        """Of at least one."""
        return cls(statistics.median(values), min(values), max(values))

    def __str__(self) -> str:
        return f"{shown(self.median)} ({shown(self.least)} to {shown(self.most)})"


@define
class Figures:
    """The values of each figure and contender, one a round."""

    _values: dict[tuple[str, str], list[float]] = field(factory=dict)

    def note(self, figures: Sequence[Figure], outcomes: Mapping[str, Outcome]) -> None:
        """A round's outcomes, by contender."""
        direct = outcomes.get(DIRECT, NOTHING)
        for figure in figures:
            for name, outcome in outcomes.items():
                self._values.setdefault((figure.title, name), []).append(figure.of(outcome, direct))

    def spread(self, figure: Figure, name: str) -> Spread:
        """Of one contender's values."""
        return Spread.of(self._values[figure.title, name])


def shown(value: float) -> str:
    """Three digits that count."""
    if abs(value) >= 100:
        return f"{value:.0f}"
    return f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"


def times_better(ours: float, theirs: float, figure: Figure) -> float | None:
    """How many times as good ours is; None where one of the two is nothing, or less."""
    if ours <= 0 or theirs <= 0:
        return None
    return ours / theirs if figure.more_is_better else theirs / ours


def _rate(outcome: Outcome, _direct: Outcome) -> float:
    return outcome.result.answers / outcome.result.seconds


def _events(outcome: Outcome, _direct: Outcome) -> float:
    return outcome.result.tokens / outcome.result.seconds


def _cpu_ms(outcome: Outcome, _direct: Outcome) -> float:
    return outcome.cpu_s / outcome.result.answers * 1000


def _aside_cpu_ms(outcome: Outcome, _direct: Outcome) -> float:
    return outcome.aside_cpu_s / outcome.result.answers * 1000


def _added_p50_ms(outcome: Outcome, direct: Outcome) -> float:
    return (outcome.result.p50_ns - direct.result.p50_ns) / 1e6


def _added_p99_ms(outcome: Outcome, direct: Outcome) -> float:
    return (outcome.result.p99_ns - direct.result.p99_ns) / 1e6


def _added_first_ms(outcome: Outcome, direct: Outcome) -> float:
    return (outcome.result.first_p50_ns - direct.result.first_p50_ns) / 1e6


RATE = Figure("requests/s, 64 in flight", _rate, more_is_better=True)
CPU = Figure("CPU ms a request", _cpu_ms)
ASIDE = Figure("… of what stores the log", _aside_cpu_ms)
ADDED_P50 = Figure("added ms, one at a time, p50", _added_p50_ms)
ADDED_P99 = Figure("added ms, one at a time, p99", _added_p99_ms)
ADDED_FIRST = Figure("added ms to the first token, p50", _added_first_ms)
EVENTS = Figure("events/s of streams in bursts, 8 in flight", _events, more_is_better=True)
