"""Usage: how many requests, tokens and dollars, and how long they took, by whatever tells requests apart. Pure."""

from collections.abc import Sequence
from typing import Any, Final

from attrs import frozen

from clawgw.ledger.cubes import MEASURES
from clawgw.ledger.document import iso_utc
from clawgw.ledger.latencies import LATENCIES, quantiles
from clawgw.ledger.question import END_OF_TIME_MS, Question
from clawgw.routing.money import dollars

_SHARES: Final = {"p50": 0.5, "p95": 0.95}


@frozen
class Figures:
    """What came of a group of requests: `MEASURES`, and the histogram of latencies as it is stored."""

    group: tuple[Any, ...] = ()
    counts: Sequence[int] = (0,) * len(MEASURES)
    latencies: bytes = b""

    @property
    def named(self) -> dict[str, int]:
        """`MEASURES` by name."""
        return dict(zip(MEASURES, self.counts, strict=True))

    def as_json(self) -> dict[str, Any]:
        """By name. The cost is None where none is known; times are in ms, within 5 %."""
        figures: dict[str, Any] = self.named
        pico = figures.pop("cost_pico")
        figures["total_tokens"] = figures["prompt_tokens"] + figures["completion_tokens"]
        figures["cost_usd"] = dollars(pico) if figures["priced_requests"] else None
        for latency in LATENCIES:
            times = quantiles(self.latencies, latency, tuple(_SHARES.values()))
            figures |= {f"{name}_{latency}": ms for name, ms in zip(_SHARES, times, strict=True)}
        return figures


@frozen
class Answer:
    """As many groups as the question allows, how many more there are, and what all come to."""

    question: Question
    groups: Sequence[Figures] = ()
    more: int = 0
    total: Figures = Figures()

    def as_json(self) -> dict[str, Any]:
        """For programs."""
        asked = self.question
        names = [str(grouping) for grouping in asked.groupings]
        return {
            "object": "usage",
            "from": iso_utc(asked.from_ms) if asked.from_ms else None,
            "to": iso_utc(asked.to_ms) if asked.to_ms < END_OF_TIME_MS else None,
            "group_by": names,
            "data": [dict(zip(names, each.group, strict=True)) | each.as_json() for each in self.groups],
            "more": self.more,
            "total": self.total.as_json(),
        }


def shown(question: Question, row: tuple[Any, ...]) -> Figures:
    """A row of `figures`, its group named as people read it."""
    split = len(question.groupings)
    group = tuple(grouping.shown(value) for grouping, value in zip(question.groupings, row[:split], strict=True))
    return Figures(group, row[split:-1], row[-1])
