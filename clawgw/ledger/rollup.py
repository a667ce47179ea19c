"""Keeping the sums of `ledger.cubes` beside the requests in SQLite, so that a million rows answer at once.

`usage_folded` says up to which request all are in the cubes, by the order in which they came. Triggers note in
`usage_changes` what becomes of those: they change, or go. `fold` adds both, what came later and the notes, in the
transaction of whoever writes. What is not folded yet is only slower to read, so sums are right at every moment, whoever
wrote the rows. `INSERT OR REPLACE` would remove rows without a trigger: write with `ON CONFLICT`.
"""

from collections.abc import Iterator
from functools import lru_cache
from sqlite3 import Connection
from typing import Final

import orjson

from clawgw.ledger.cubes import CUBES, MEASURES, NOTED, TIMES, Cube, changed_rows, cube_rows, over
from clawgw.ledger.histogram import Summing, sum_of, without
from clawgw.ledger.latencies import LATENCIES, stored

WORTH_FOLDING: Final = 8000
"""So many changes are folded at once: quicker for each than a few, and still read in some ms."""
_MOST_FOLDED: Final = 16_000
"""Of either kind in one transaction; what an older database has may be more."""
_CACHED_MAPS: Final = 1024
_SOURCES_FIRST: Final = tuple(reversed(CUBES))
_EARLIER: Final = (
    *("usage_changes", "usage_days", "usage_hours", "usage_target_days", "usage_target_hours", "usage_user_days"),
    *("usage_key_target_days", "usage_key_target_hours", "usage_user_weeks", "usage_user_model_weeks"),
    *("usage_user_model_days", "usage_metadata_days", "usage_metadata_hours", "usage_metadata_target_days"),
)
"""The tables of earlier versions of the database."""
_ENDS: Final = (
    "SELECT number, coalesce((SELECT max(number) FROM requests), 0),"
    " coalesce((SELECT min(rowid) FROM usage_changes), 1) - 1, coalesce((SELECT max(rowid) FROM usage_changes), 0)"
    " FROM usage_folded"
)
"""Both ends of one table in one SELECT would read every row between them (sqlite.org/optoverview.html#minmax)."""
_REQUESTS: Final = changed_rows("requests NOT INDEXED", "number > ? AND number <= ?")
_NOTES: Final = changed_rows("usage_changes", "rowid <= ?")
_FOLDING: Final = f"CREATE TEMP TABLE folding AS SELECT * FROM {_REQUESTS} UNION ALL SELECT * FROM {_NOTES}"  # noqa: S608 - names of these modules only
_SUMS: Final = ", ".join((*(f"sum({name}) AS {name}" for name in MEASURES), "histogram(1, latencies) AS latencies"))
"""What changes of the same sign come to; their latencies have none."""
_OVER: Final = (
    "SELECT (SELECT min(at_ms) FROM folding), over_ms,"
    " max(over_ms, coalesce((SELECT min(at_ms) FROM folding WHERE sign > 0), 0)) FROM usage_folded"
)
"""What came just now is the latest, so what was before all of it is over; later, that is only slower to fold."""


def prepare(connection: Connection) -> None:
    """Add the functions that `fold` and queries need."""
    connection.create_aggregate("histogram", 2, Summing)  # type: ignore[arg-type]  # typeshed knows steps of one number only
    connection.create_function("histogram_of", len(LATENCIES), stored, deterministic=True)
    connection.create_function("histogram_sum", 2, sum_of, deterministic=True)
    connection.create_function("histogram_without", 2, without, deterministic=True)
    connection.create_function("pair", 2, lru_cache(_CACHED_MAPS)(_pair), deterministic=True)


def fold(connection: Connection, at_least: int = WORTH_FOLDING) -> bool:
    """Add what has changed to the cubes, if it is so much; whether as much is still left.

    Within the caller's transaction; after `prepare`.
    """
    folded, last, noted, last_note = connection.execute(_ENDS).fetchone()
    waiting = max(last - folded, 0) + max(last_note - noted, 0)
    if not waiting or waiting < at_least:
        return False
    upto, noted_upto = max(min(last, folded + _MOST_FOLDED), folded), min(last_note, noted + _MOST_FOLDED)
    connection.execute(_FOLDING, [folded, upto, noted_upto])
    _add(connection, removed=noted < last_note)
    connection.execute("DROP TABLE folding")
    connection.execute("DELETE FROM usage_changes WHERE rowid <= ?", [noted_upto])
    connection.execute("UPDATE usage_folded SET number = ?", [upto])
    return bool(max(last - upto, 0) + max(last_note - noted_upto, 0) >= at_least)


def _add(connection: Connection, *, removed: bool) -> None:
    """Add `folding` to the cubes, and to those that are made of others what is over since; `removed`: some may go."""
    earliest, before, now = connection.execute(_OVER).fetchone()
    late = earliest < before
    for cube in _SOURCES_FIRST:
        if late:
            connection.execute(_changing(cube))
        if late or cube.source is None:
            rows = _changes(cube) if late else "folding"
            connection.execute(_adding(cube, rows))
            if removed:
                connection.execute(_removing(cube, rows))
                connection.execute(_cleaning(cube, rows))
    for cube in _SOURCES_FIRST:
        if late:
            connection.execute(f"DROP TABLE {_changes(cube)}")
        if cube.source is not None and before // (unit := TIMES[cube.source.time]) < now // unit:
            connection.execute(_adding(cube, _over(cube, cube.source)), [before // unit, now // unit])
    connection.execute("UPDATE usage_folded SET over_ms = ?", [now])


def _schema() -> Iterator[str]:
    """The statements that put the cubes beside `requests`; the rows it has already are folded the next times.

    What an earlier version has made of them is made anew.
    """
    noted = ", ".join(NOTED)
    yield from (f"DROP TABLE IF EXISTS {name}" for name in _EARLIER)
    yield "CREATE TABLE usage_folded (number INTEGER NOT NULL, over_ms INTEGER NOT NULL)"
    yield "INSERT INTO usage_folded VALUES (0, 0)"
    yield f"CREATE TABLE usage_changes (sign INTEGER NOT NULL, {noted})"
    yield from map(_table, CUBES)
    yield _trigger("usage_added", "INSERT", (1, "NEW"))
    yield _trigger("usage_removed", "DELETE", (-1, "OLD"))
    yield _trigger("usage_changed", f"UPDATE OF {noted}", (-1, "OLD"), (1, "NEW"))


def _table(cube: Cube) -> str:
    columns = (
        f"{cube.time} INTEGER NOT NULL",
        *(f"{name} TEXT NOT NULL" for name in cube.dimensions),
        *(f"{name} INTEGER NOT NULL" for name in MEASURES),
        "latencies BLOB NOT NULL",
    )
    return f"CREATE TABLE {cube.name} ({', '.join(columns)}, PRIMARY KEY ({cube.keys})) WITHOUT ROWID"


def _trigger(name: str, event: str, *rows: tuple[int, str]) -> str:
    """Notes rows that are folded already, or seem to be: one that comes may have the number of one that went."""
    notes = (
        f"INSERT INTO usage_changes VALUES ({sign}, {', '.join(f'{row}.{column}' for column in NOTED)});"  # noqa: S608 - names of this module only
        for sign, row in rows
    )
    folded = f"{rows[0][1]}.number <= (SELECT number FROM usage_folded)"  # noqa: S608 - as above
    return f"CREATE TRIGGER {name} AFTER {event} ON requests WHEN {folded} BEGIN {' '.join(notes)} END"


def _changes(cube: Cube) -> str:
    return f"changes_of_{cube.name}"


def _changing(cube: Cube) -> str:
    """Make a table of what of `folding` comes to a cube, of that of its source: all, or what is over there already."""
    rows = "folding"
    if cube.source is not None:
        before = f"{cube.source.time} < {over(cube.source.time)}"
        rows = _of_source(cube, cube.source, _changes(cube.source), before)
    return (
        f"CREATE TEMP TABLE {_changes(cube)} AS SELECT sign, {cube.keys}, {_SUMS}"  # noqa: S608 - names of these modules only
        f" FROM {rows} GROUP BY sign, {cube.keys}"
    )


def _over(cube: Cube, source: Cube) -> str:
    """The rows of its source between two units of time."""
    return _of_source(cube, source, cube_rows(source), f"{source.time} >= ? AND {source.time} < ?")


def _of_source(cube: Cube, source: Cube, rows: str, condition: str) -> str:
    """Of rows as those of its source, with the cube's time as well."""
    units = TIMES[cube.time] // TIMES[source.time]
    time = f", {source.time} / {units} AS {cube.time}" if units > 1 else ""
    return f"(SELECT *{time} FROM {rows} WHERE {condition})"  # noqa: S608 - as above


def _adding(cube: Cube, rows: str) -> str:
    return _merging(cube, f"{rows} WHERE sign > 0", "histogram_sum")


def _removing(cube: Cube, rows: str) -> str:
    """After all is added, so that it is there."""
    return _merging(cube, f"{rows} WHERE sign < 0", "histogram_without")


def _merging(cube: Cube, rows: str, merge: str) -> str:
    updates = (
        *(f"{name} = {name} + excluded.{name}" for name in MEASURES),
        f"latencies = {merge}(latencies, excluded.latencies)",
    )
    return (
        f"INSERT INTO {cube.name} SELECT {cube.keys}, {_SUMS} FROM {rows} GROUP BY {cube.keys}"  # noqa: S608 - as above
        f" ON CONFLICT DO UPDATE SET {', '.join(updates)}"
    )


def _cleaning(cube: Cube, rows: str) -> str:
    """Rows of nothing are left where the last of their requests was removed."""
    return (
        f"DELETE FROM {cube.name} WHERE requests = 0"  # noqa: S608 - as above
        f" AND ({cube.keys}) IN (SELECT {cube.keys} FROM {rows} WHERE sign < 0)"
    )


def _pair(pairs: str, name: str) -> str:
    """What a JSON object of strings holds under a name, or nothing."""
    return str(orjson.loads(pairs).get(name, ""))


SCHEMA: Final = tuple(_schema())
"""The statements of the migration that adds the cubes."""
