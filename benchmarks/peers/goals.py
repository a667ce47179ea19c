"""What clawgw is to reach, as data, and whether a run has shown it."""

from collections.abc import Callable, Sequence
from math import inf

from attrs import define, field, frozen

from benchmarks.peers.figures import ADDED_FIRST, ADDED_P50, ADDED_P99, CPU, EVENTS, RATE, Figure, Figures, shown
from benchmarks.peers.growth import Growth


@define
class Findings:
    """What a run has found: figures by section, and memory by gateway."""

    figures: dict[str, Figures] = field(factory=dict)
    grown: dict[str, Growth] = field(factory=dict)

    def median(self, section: str, figure: Figure, name: str) -> float:
        """Raises KeyError where it was not measured."""
        return self.figures[section].spread(figure, name).median


@frozen
class Goal:
    """A value between two bounds. `of` raises KeyError where what it needs was not measured."""

    title: str
    of: Callable[[Findings], float]
    least: float = -inf
    most: float = inf

    def row(self, findings: Findings) -> Sequence[str]:
        """Title, bound, value, and whether it is reached; nothing where it was not measured."""
        try:
            value = self.of(findings)
        except KeyError:
            return ()
        bound = f"≥ {self.least:g}" if self.most == inf else f"≤ {self.most:g}"
        return self.title, bound, shown(value), "yes" if self.least <= value <= self.most else "no"


def _ratio(section: str, figure: Figure, name: str, other: str) -> Callable[[Findings], float]:
    return lambda found: found.median(section, figure, name) / found.median(section, figure, other)


def _own(figure: Figure) -> Callable[[Findings], float]:
    return lambda found: found.median("plain", figure, "clawgw")


def _redis_ms(found: Findings) -> float:
    return found.median("redis", ADDED_P50, "limits in Redis") - found.median("redis", ADDED_P50, "limits in memory")


def _grown(found: Findings) -> float:
    growth = found.grown["clawgw"]
    return growth.end.rss_mib / growth.tenth.rss_mib


GOALS = (
    Goal("requests/s, as a multiple of LiteLLM's", _ratio("plain", RATE, "clawgw", "LiteLLM"), least=60),
    Goal("requests/s, as a multiple of Portkey's", _ratio("plain", RATE, "clawgw", "Portkey"), least=6),
    Goal(ADDED_P50.title, _own(ADDED_P50), most=0.5),
    Goal(ADDED_P99.title, _own(ADDED_P99), most=1.5),
    Goal(EVENTS.title, _own(EVENTS), least=150_000),
    Goal(ADDED_FIRST.title, _own(ADDED_FIRST), most=0.6),
    Goal("MiB at the start", lambda found: found.grown["clawgw"].start.rss_mib, most=80),
    Goal("memory at the end, as a multiple of that after a tenth", _grown, most=1.05),
    Goal("streams still sent to nobody", lambda found: found.grown["clawgw"].still_running, most=0),
    Goal(
        "requests/s of three workers, as a multiple of one's",
        _ratio("workers", RATE, "three workers", "one worker"),
        least=2.5,
    ),
    Goal(
        "cost of a request with a hedge that does not fire",
        _ratio("hedge", CPU, "a hedge after 2 s", "no hedge"),
        most=1.05,
    ),
    Goal("ms added by limits in Redis, p50", _redis_ms, most=0.5),
)
"""In the order of the tables."""


def rows(findings: Findings) -> Sequence[Sequence[str]]:
    """Of the goals that were looked at."""
    return [row for goal in GOALS if (row := goal.row(findings))]
