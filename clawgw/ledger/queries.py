"""Questions about usage as queries. Pure.

They read the cubes (`ledger.rollup`) for the whole weeks, days, quarters and hours that a question spans, and the
requests themselves for the rest. Nothing of whoever asks is in the text of a query; it is bound.
"""

from collections.abc import Iterator, Sequence
from typing import Any, Final

import orjson
from attrs import frozen

from clawgw.ledger.cubes import CUBES, DAY_MS, MEASURES, NOT_FOLDED, SUMS, TIMES, Cube, changed_rows, cube_rows, over
from clawgw.ledger.question import END_OF_TIME_MS, Grouping, Question

_SUMMED: Final = ("sign", *MEASURES, "latencies")
_RANKED: Final = ("requests", "cost_pico")


@frozen
class Query:
    """One statement and what is bound in it."""

    sql: str
    parameters: Sequence[str | int]


@frozen
class _Part:
    """Rows with a column of time, from `start` to before `end`; `first`: an expression that `start` is bound in."""

    rows: str
    time: str
    start: int
    end: int
    first: str = "?"


def ranking(question: Question) -> Query:
    """The groups that are shown: by time where that was asked for, then those with most cost first.

    Its rows: how many groups there are in all, then a value for each grouping.
    """
    names = _names(question)
    times = (name for name, grouping in zip(names, question.groupings, strict=True) if grouping.column in TIMES)
    rows = _rows(question, _RANKED)
    ranks = (f"sum({name}) AS {name}" for name in _RANKED)
    return Query(
        f"SELECT {', '.join(('count(*) OVER ()', *names))} FROM"  # noqa: S608 - names of these modules; the rest is bound
        f" (SELECT {', '.join((*names, *ranks))} FROM ({rows.sql}) {_grouped(names)} HAVING sum(requests) > 0)"
        f" ORDER BY {', '.join((*times, 'cost_pico DESC', 'requests DESC'))} LIMIT ?",
        [*rows.parameters, question.limit],
    )


def figures(question: Question, groups: Sequence[Sequence[Any]] = ()) -> Query:
    """What these groups come to, or all where none are named.

    Its rows: a value for each grouping, then `MEASURES`, then a histogram.
    """
    names, rows = _names(question), _rows(question, _SUMMED)
    conditions, bound = "", list(rows.parameters)
    if groups:
        each = ", ".join(f"json_extract(value, '$[{place}]')" for place in range(len(names)))
        conditions = f"WHERE ({', '.join(names)}) IN (SELECT {each} FROM json_each(?))"  # noqa: S608 - as above
        bound.append(orjson.dumps(groups).decode())
    return Query(f"SELECT {', '.join((*names, SUMS))} FROM ({rows.sql}) {conditions} {_grouped(names)}", bound)  # noqa: S608 - as above


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


def _rows(question: Question, columns: Sequence[str]) -> Query:
    """All that it is about, each request once, as rows with a column for each grouping and these."""
    cubes = _cubes(question)
    parts = list[_Part]()
    for unit, start, end in spans(question.from_ms, question.to_ms, [*cubes]):
        if unit is None:
            parts.append(_Part(changed_rows("requests"), "at_ms", start, end))
        else:
            parts += _summed(cubes[unit], start // unit, end // unit)
            parts += (_Part(rows, "at_ms", start, end) for rows in NOT_FOLDED)
    queries = [_query(question, columns, part) for part in parts]
    return Query(" UNION ALL ".join(each.sql for each in queries), [one for each in queries for one in each.parameters])


def _summed(cube: Cube, start: int, end: int) -> Iterator[_Part]:
    """From a cube, and what is not over yet from those that it is made of; `start` and `end` in its units."""
    yield _Part(cube_rows(cube), cube.time, start, end)
    while (source := cube.source) is not None:
        units = TIMES[cube.time] // TIMES[source.time]
        start, end = start * units, end * units
        yield _Part(cube_rows(source), source.time, start, end, f"max(?, {over(source.time)})")
        cube = source


def _query(question: Question, columns: Sequence[str], part: _Part) -> Query:
    expressions = (_expression(grouping, part.time) for grouping in question.groupings)
    groups = (f"{each} AS {name}" for each, name in zip(expressions, _names(question), strict=True))
    bound = [grouping.name for grouping in question.groupings if grouping.name is not None]
    keys = [question.key] if question.key is not None else []
    return Query(
        f"SELECT {', '.join((*groups, *columns))} FROM {part.rows}"  # noqa: S608 - names of these modules; the rest is bound
        f" WHERE {part.time} >= {part.first} AND {part.time} < ?{' AND key = ?' * len(keys)}",
        [*bound, part.start, part.end, *keys],
    )


def _names(question: Question) -> Sequence[str]:
    """Of the columns that hold the values of its groupings."""
    return [f"group_{place}" for place in range(len(question.groupings))]


def _grouped(names: Sequence[str]) -> str:
    return f"GROUP BY {', '.join(names) or 'NULL'}"


def _cubes(question: Question) -> dict[int, Cube]:
    """By their units, falling: of those that can answer the one with the fewest rows, and finer ones for the rest."""
    found: dict[int, Cube] = {}
    for cube in CUBES:
        if _answers(cube, question) and TIMES[cube.time] < min(found, default=END_OF_TIME_MS):
            found[TIMES[cube.time]] = cube
    return found


def _answers(cube: Cube, question: Question) -> bool:
    """An hour tells of its day, and not the other way round."""
    times = {"hour": {"day", "hour"}, "quarter": {"day"}, "day": {"day"}, "week": set[str]()}[cube.time]
    return question.columns <= {*cube.dimensions, *times}


def _expression(grouping: Grouping, time: str) -> str:
    """A grouping's value in rows that are told apart by this column of time; a name is bound."""
    if grouping.name is not None:
        return f"pair({grouping.column}, ?)"
    if grouping.column == "day" and time in TIMES:
        return f"{time} / {DAY_MS // TIMES[time]}"
    return grouping.column
