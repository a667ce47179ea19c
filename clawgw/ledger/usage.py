"""Usage: how many requests, tokens and dollars, and how long they took, by whatever tells requests apart. Pure.

A question becomes queries on the cubes (`ledger.rollup`) for the whole days and hours it spans, and on the requests
themselves for the rest. Nothing of whoever asks is in the text of a query; it is bound.
"""

from collections.abc import Iterable, Iterator, Sequence
from operator import add
from typing import Any, Final, Self

from attrs import evolve, frozen

from clawgw.ledger.document import iso_utc
from clawgw.ledger.histogram import LATENCIES, quantile, sum_of, unpacked
from clawgw.ledger.question import END_OF_TIME_MS, Grouping, Question
from clawgw.ledger.rollup import CUBES, DAY_MS, HOUR_MS, MEASURES, TIMES, Cube, changed_rows, sums
from clawgw.routing.prices import dollars

_PAIR: Final = "coalesce((SELECT pair.value FROM json_each({}) AS pair WHERE pair.key = ?), '')"


@frozen
class Query:
    """One statement and what is bound in it. Its rows: a value for each grouping, then `MEASURES`, then a histogram."""

    sql: str
    parameters: Sequence[str | int]


@frozen
class Figures:
    """What came of a group of requests: `MEASURES`, and the histogram of latencies as it is stored."""

    group: tuple[Any, ...] = ()
    counts: Sequence[int] = (0,) * len(MEASURES)
    latencies: bytes = b""

    def __add__(self, other: Self) -> Self:
        counts = tuple(map(add, self.counts, other.counts))
        return evolve(self, counts=counts, latencies=sum_of(self.latencies, other.latencies))

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
        histogram = unpacked(self.latencies)
        return figures | {
            f"p{percent}_{latency}": quantile(histogram, latency, percent / 100)
            for latency in LATENCIES
            for percent in (50, 95)
        }


@frozen
class Answer:
    """All groups, and what they come to."""

    question: Question
    groups: Sequence[Figures] = ()
    total: Figures = Figures()

    def as_json(self) -> dict[str, Any]:
        """For programs: `data` holds as many groups as the question allows, `more` says how many are left out."""
        asked = self.question
        names = [str(grouping) for grouping in asked.groupings]
        shown = self.groups[: asked.limit]
        return {
            "object": "usage",
            "from": iso_utc(asked.from_ms) if asked.from_ms else None,
            "to": iso_utc(asked.to_ms) if asked.to_ms < END_OF_TIME_MS else None,
            "group_by": names,
            "data": [dict(zip(names, each.group, strict=True)) | each.as_json() for each in shown],
            "more": len(self.groups) - len(shown),
            "total": self.total.as_json(),
        }


def queries(question: Question) -> Iterator[Query]:
    """All of them; a group's figures are the sums over all their rows."""
    cubes = {TIMES[cube.time]: cube for cube in reversed(CUBES) if _answers(cube, question)}
    for unit, start, end in spans(question.from_ms, question.to_ms, sorted(cubes, reverse=True)):
        if unit is None:
            yield _of_requests(question, "requests", start, end)
        else:
            yield _of_cube(question, cubes[unit], start // unit, end // unit)
            yield _of_requests(question, "usage_changes", start, end)


def spans(start: int, end: int, units: Sequence[int]) -> Iterator[tuple[int | None, int, int]]:
    """A span in parts, each of whole units of the first kind that fits, or of None; `units` are falling."""
    if start >= end:
        return
    if not units:
        yield None, start, end
        return
    unit, *finer = units
    first, last = -(-start // unit) * unit, end // unit * unit
    if first >= last:
        yield from spans(start, end, finer)
        return
    yield from spans(start, first, finer)
    yield unit, first, last
    yield from spans(last, end, finer)


def merged(question: Question, rows: Iterable[tuple[Any, ...]]) -> list[Figures]:
    """The groups, from the rows of all queries: by time where that was asked for, then those with most cost first."""
    found: dict[tuple[Any, ...], Figures] = {}
    split = len(question.groupings)
    for row in rows:
        group = row[:split]
        figures = Figures(group, row[split:-1], row[-1])
        found[group] = found[group] + figures if group in found else figures
    return _shown(question.groupings, [figures for figures in found.values() if figures.named["requests"]])


def _shown(groupings: Sequence[Grouping], groups: list[Figures]) -> list[Figures]:
    times = [place for place, grouping in enumerate(groupings) if grouping.column in TIMES]

    def order(figures: Figures) -> tuple[int, ...]:
        named = figures.named
        return (*(figures.group[place] for place in times), -named["cost_pico"], -named["requests"])

    return [
        evolve(each, group=tuple(grouping.shown(value) for grouping, value in zip(groupings, each.group, strict=True)))
        for each in sorted(groups, key=order)
    ]


def _answers(cube: Cube, question: Question) -> bool:
    """An hour tells of its day, and not the other way round."""
    times = {"day", "hour"} if cube.time == "hour" else {"day"}
    return question.columns <= {*cube.dimensions, *times}


def _of_requests(question: Question, table: str, start: int, end: int) -> Query:
    return _query(question, changed_rows(table), sums(*LATENCIES), "at_ms", (start, end))


def _of_cube(question: Question, cube: Cube, start: int, end: int) -> Query:
    rows = f"(SELECT *, 1 AS sign FROM {cube.name})"  # noqa: S608 - a name of CUBES
    return _query(question, rows, sums("latencies"), cube.time, (start, end))


def _query(question: Question, rows: str, figures: str, time: str, span: tuple[int, int]) -> Query:
    expressions = [_expression(grouping, time) for grouping in question.groupings]
    names = [grouping.name for grouping in question.groupings if grouping.name is not None]
    keys = [question.key] if question.key is not None else []
    places = ", ".join(str(place) for place in range(1, len(expressions) + 1))
    return Query(
        f"SELECT {', '.join((*expressions, figures))} FROM {rows} WHERE {time} >= ? AND {time} < ?"  # noqa: S608 - names of these modules; the rest is bound
        f"{' AND key = ?' * len(keys)} GROUP BY {places or 'NULL'}",
        [*names, *span, *keys],
    )


def _expression(grouping: Grouping, time: str) -> str:
    """A grouping's value in rows that are told apart by this column of time; a name is bound."""
    if grouping.name is not None:
        return _PAIR.format(grouping.column)
    if (grouping.column, time) == ("day", "hour"):
        return f"hour / {DAY_MS // HOUR_MS}"
    return grouping.column
