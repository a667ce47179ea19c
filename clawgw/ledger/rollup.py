"""Keeping the sums of `ledger.cubes` beside the requests in SQLite, so that a million rows answer at once.

Triggers note every row that comes to `requests` or leaves it in `usage_changes`; `fold` adds those notes to the cubes,
in the transaction of whoever writes. What is not folded yet is only slower to read, so sums are right at every moment,
whoever wrote the rows. `INSERT OR REPLACE` would remove rows without a trigger: write with `ON CONFLICT`.
"""

from collections.abc import Iterator
from functools import lru_cache
from sqlite3 import Connection
from typing import Final

import orjson

from clawgw.ledger.cubes import CUBES, MEASURES, NOTED, SUMS, TARGET, TIMES, Cube, changed_rows
from clawgw.ledger.histogram import LATENCIES, Summing, stored, sum_of

WORTH_FOLDING: Final = 8000
"""So many changes are folded at once: quicker for each than a few, and still read in some ms."""
_MOST_FOLDED: Final = 16_000
"""In one transaction; what an older database has may be more."""
_ENDS: Final = "SELECT (SELECT min(rowid) FROM usage_changes), (SELECT max(rowid) FROM usage_changes)"
"""Both in one SELECT would read every row between them (sqlite.org/optoverview.html#minmax)."""
_CACHED_MAPS: Final = 1024
_EARLIER: Final = (
    *("usage_changes", "usage_days", "usage_hours", "usage_target_days", "usage_target_hours"),
    *("usage_user_days", "usage_metadata_days"),
)
"""The tables of version 2 of the database, which had fewer sums."""
_FOLDING: Final = f"CREATE TEMP TABLE folding AS SELECT * FROM {changed_rows('usage_changes', 'rowid < ?')}"  # noqa: S608 - names of these modules only
_TARGETS: Final = ("key", "labels", *TARGET)
_FOLDING_TARGETS: Final = (
    f"CREATE TEMP TABLE folding_targets AS SELECT sign, {', '.join((*TIMES, *_TARGETS))},"  # noqa: S608 - names of these modules only
    f" {', '.join(f'sum({name}) AS {name}' for name in MEASURES)}, histogram(1, latencies) AS latencies"
    f" FROM folding GROUP BY sign, hour, {', '.join(_TARGETS)}"
)
"""What most cubes are made of: many requests have the same key and target."""


def prepare(connection: Connection) -> None:
    """Add the functions that `fold` and queries need."""
    connection.create_aggregate("histogram", 2, Summing)  # type: ignore[arg-type]  # typeshed knows steps of one number only
    connection.create_function("histogram_of", len(LATENCIES), stored, deterministic=True)
    connection.create_function("histogram_sum", 2, sum_of, deterministic=True)
    connection.create_function("pair", 2, lru_cache(_CACHED_MAPS)(_pair), deterministic=True)


def fold(connection: Connection, at_least: int = WORTH_FOLDING) -> bool:
    """Add what has changed to the cubes, if it is so much; whether as much is still left.

    Within the caller's transaction; after `prepare`.
    """
    first, last = connection.execute(_ENDS).fetchone()
    if first is None or last - first + 1 < at_least:
        return False
    folded = first + _MOST_FOLDED
    connection.execute(_FOLDING, [folded])
    connection.execute(_FOLDING_TARGETS)
    for cube in CUBES:
        source = "folding_targets" if {*cube.dimensions} <= {*_TARGETS} else "folding"
        connection.execute(_adding(cube, source))
        connection.execute(_cleaning(cube, source))
    connection.execute("DROP TABLE folding")
    connection.execute("DROP TABLE folding_targets")
    connection.execute("DELETE FROM usage_changes WHERE rowid < ?", [folded])
    return bool(last - folded + 1 >= at_least)


def _schema() -> Iterator[str]:
    """The statements that put the cubes beside `requests`; the rows it has already are folded the next times.

    What an earlier version has made of them is made anew.
    """
    noted = ", ".join(NOTED)
    yield from (f"DROP TRIGGER IF EXISTS {name}" for name in ("usage_added", "usage_removed", "usage_changed"))
    yield from (f"DROP TABLE IF EXISTS {name}" for name in _EARLIER)
    yield f"CREATE TABLE usage_changes (sign INTEGER NOT NULL, {noted})"
    yield from map(_table, CUBES)
    yield _trigger("usage_added", "INSERT", (1, "NEW"))
    yield _trigger("usage_removed", "DELETE", (-1, "OLD"))
    yield _trigger("usage_changed", f"UPDATE OF {noted}", (-1, "OLD"), (1, "NEW"))
    yield f"INSERT INTO usage_changes SELECT 1, {noted} FROM requests"  # noqa: S608 - names of this module only


def _table(cube: Cube) -> str:
    columns = (
        f"{cube.time} INTEGER NOT NULL",
        *(f"{name} TEXT NOT NULL" for name in cube.dimensions),
        *(f"{name} INTEGER NOT NULL" for name in MEASURES),
        "latencies BLOB NOT NULL",
    )
    return f"CREATE TABLE {cube.name} ({', '.join(columns)}, PRIMARY KEY ({cube.keys})) WITHOUT ROWID"


def _trigger(name: str, event: str, *rows: tuple[int, str]) -> str:
    notes = (
        f"INSERT INTO usage_changes VALUES ({sign}, {', '.join(f'{row}.{column}' for column in NOTED)});"  # noqa: S608 - names of this module only
        for sign, row in rows
    )
    return f"CREATE TRIGGER {name} AFTER {event} ON requests BEGIN {' '.join(notes)} END"


def _adding(cube: Cube, source: str) -> str:
    updates = (
        *(f"{name} = {name} + excluded.{name}" for name in MEASURES),
        "latencies = histogram_sum(latencies, excluded.latencies)",
    )
    return (
        f"INSERT INTO {cube.name} SELECT {cube.keys}, {SUMS} FROM {source} WHERE true"  # noqa: S608 - names of these modules only
        f" GROUP BY {cube.keys} ON CONFLICT DO UPDATE SET {', '.join(updates)}"
    )


def _cleaning(cube: Cube, source: str) -> str:
    """Rows of nothing are left where the last of their requests was removed."""
    return (
        f"DELETE FROM {cube.name} WHERE requests = 0"  # noqa: S608 - as above
        f" AND ({cube.keys}) IN (SELECT {cube.keys} FROM {source} WHERE sign < 0)"
    )


def _pair(pairs: str, name: str) -> str:
    """What a JSON object of strings holds under a name, or nothing."""
    return str(orjson.loads(pairs).get(name, ""))


SCHEMA: Final = tuple(_schema())
"""The statements of the migration that adds the cubes."""
