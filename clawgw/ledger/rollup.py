"""Sums of requests by the hour and by the day, kept beside them in SQLite so that a million rows answer at once.

A cube has a row for each hour or day and each combination of its dimensions that occurred: sums, and a histogram of
latencies. Triggers note every row that
comes to `requests` or leaves it in `usage_changes`; `fold` adds those notes to the cubes, in the transaction of whoever
writes. What is not folded yet is only slower to read, so sums are right at every moment, whoever wrote the rows.
`INSERT OR REPLACE` would remove rows without a trigger: write with `ON CONFLICT`.
"""

from collections.abc import Iterator, Mapping, Sequence
from sqlite3 import Connection
from typing import Final

from attrs import frozen

from clawgw.ledger.histogram import LATENCIES, Summing, sum_of

HOUR_MS: Final = 3_600_000
DAY_MS: Final = 24 * HOUR_MS

TIMES: Final[Mapping[str, int]] = {"hour": HOUR_MS, "day": DAY_MS}
"""The columns that hold when a request came, each counting from the Unix epoch, and their units in ms."""

DIMENSIONS: Final[Mapping[str, str]] = {
    "key": "",
    "user": "",
    "route": "",
    "provider": "",
    "model": "",
    "labels": "{}",
    "metadata": "{}",
}
"""Columns by which requests are told apart, and what stands for NULL, which no key of a table may hold."""

MEASURES: Final[Mapping[str, str]] = {
    "requests": "1",
    "errors": "outcome = 'error'",
    "cancelled": "outcome = 'cancelled'",
    "cache_hits": "cache IS 'hit'",
    "prompt_tokens": "min(coalesce(prompt_tokens, 0), 1000000000000)",
    "cached_tokens": "min(coalesce(cached_tokens, 0), 1000000000000)",
    "completion_tokens": "min(coalesce(completion_tokens, 0), 1000000000000)",
    "reasoning_tokens": "min(coalesce(reasoning_tokens, 0), 1000000000000)",
    "priced_requests": "cost_pico IS NOT NULL",
    "cost_pico": "min(coalesce(cost_pico, 0), 1000000000000000)",
}
"""What is summed, each with what one request adds: at most 10¹² tokens and 1000 USD, so that nonsense from an upstream
cannot make the sums overflow.
"""

_NOTED: Final = (
    *("at_ms", *DIMENSIONS, "outcome", "cache"),
    *("prompt_tokens", "cached_tokens", "completion_tokens", "reasoning_tokens", "cost_pico", *LATENCIES),
)
"""The columns of `requests` that count here."""

WORTH_FOLDING: Final = 2000
"""So many changes are folded at once: quicker for each than a few, and still read in some ms."""


@frozen
class Cube:
    """A table of sums. `time` is one of `TIMES`."""

    name: str
    time: str
    dimensions: Sequence[str]


CUBES: Final = (
    Cube("usage_days", "day", ("key", "labels")),
    Cube("usage_hours", "hour", ("key", "labels")),
    Cube("usage_target_days", "day", ("key", "labels", "route", "provider", "model")),
    Cube("usage_target_hours", "hour", ("key", "labels", "route", "provider", "model")),
    Cube("usage_user_days", "day", ("key", "user")),
    Cube("usage_metadata_days", "day", ("key", "metadata")),
)
"""All of them; of two that can answer a question, the earlier one has fewer rows."""


def prepare(connection: Connection) -> None:
    """Add the functions that `fold` and queries need."""
    connection.create_aggregate("histogram", -1, Summing)  # type: ignore[arg-type]  # typeshed knows steps of one number only
    connection.create_function("histogram_sum", 2, sum_of, deterministic=True)


def fold(connection: Connection, at_least: int = WORTH_FOLDING) -> None:
    """Add what has changed to the cubes, if it is so much. Within the caller's transaction; after `prepare`."""
    (waiting,) = connection.execute("SELECT count(*) FROM usage_changes").fetchone()
    if waiting < at_least:
        return
    for cube in CUBES:
        connection.execute(_folding(cube))
        connection.execute(_cleaning(cube))
    connection.execute("DELETE FROM usage_changes")


def changed_rows(table: str) -> str:
    """`requests` or `usage_changes` as a query with the columns of every cube, and `sign`."""
    sign = "sign" if table == "usage_changes" else "1"
    columns = (
        *(f"{sign} AS sign", "at_ms"),
        *(f"at_ms / {unit} AS {name}" for name, unit in TIMES.items()),
        *(f"coalesce({name}, '{none}') AS {name}" for name, none in DIMENSIONS.items()),
        *(f"{sign} * ({each}) AS {name}" for name, each in MEASURES.items()),
        *LATENCIES,
    )
    return f"(SELECT {', '.join(columns)} FROM {table})"  # noqa: S608 - names of this module only


def sums(*latencies: str) -> str:
    """What rows come to: `MEASURES` and a histogram of these columns, as expressions of a SELECT."""
    return ", ".join((*(f"sum({name})" for name in MEASURES), f"histogram(sign, {', '.join(latencies)})"))


def _schema() -> Iterator[str]:
    """The statements that put the cubes beside `requests`; the rows it has already are folded the next time."""
    noted = ", ".join(_NOTED)
    yield f"CREATE TABLE usage_changes (sign INTEGER NOT NULL, {noted})"
    for cube in CUBES:
        yield _table(cube)
    yield _trigger("usage_added", "INSERT", (1, "NEW"))
    yield _trigger("usage_removed", "DELETE", (-1, "OLD"))
    yield _trigger("usage_changed", f"UPDATE OF {noted}", (-1, "OLD"), (1, "NEW"))
    yield f"INSERT INTO usage_changes SELECT 1, {noted} FROM requests"  # noqa: S608 - names of this module only


def _table(cube: Cube) -> str:
    keys = ", ".join((cube.time, *cube.dimensions))
    columns = (
        f"{cube.time} INTEGER NOT NULL",
        *(f"{name} TEXT NOT NULL" for name in cube.dimensions),
        *(f"{name} INTEGER NOT NULL" for name in MEASURES),
        "latencies BLOB NOT NULL",
    )
    return f"CREATE TABLE {cube.name} ({', '.join(columns)}, PRIMARY KEY ({keys})) WITHOUT ROWID"


def _trigger(name: str, event: str, *rows: tuple[int, str]) -> str:
    notes = (
        f"INSERT INTO usage_changes VALUES ({sign}, {', '.join(f'{row}.{column}' for column in _NOTED)});"  # noqa: S608 - names of this module only
        for sign, row in rows
    )
    return f"CREATE TRIGGER {name} AFTER {event} ON requests BEGIN {' '.join(notes)} END"


def _folding(cube: Cube) -> str:
    keys = ", ".join((cube.time, *cube.dimensions))
    updates = (
        *(f"{name} = {name} + excluded.{name}" for name in MEASURES),
        "latencies = histogram_sum(latencies, excluded.latencies)",
    )
    return (
        f"INSERT INTO {cube.name} SELECT {keys}, {sums(*LATENCIES)} FROM {changed_rows('usage_changes')}"  # noqa: S608 - names of this module only
        f" GROUP BY {keys} ON CONFLICT DO UPDATE SET {', '.join(updates)}"
    )


def _cleaning(cube: Cube) -> str:
    """Rows of nothing are left where the last of their requests was removed."""
    unit = TIMES[cube.time]
    removed = "FROM usage_changes WHERE sign < 0"
    return (
        f"DELETE FROM {cube.name} WHERE requests = 0 AND"  # noqa: S608 - names of this module only
        f" {cube.time} BETWEEN (SELECT min(at_ms) / {unit} {removed}) AND (SELECT max(at_ms) / {unit} {removed})"
    )


SCHEMA: Final = tuple(_schema())
"""The statements of the migration that adds the cubes."""
