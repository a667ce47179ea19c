"""Reads the log's database while the gateway writes it: usage, and single records.

Calls block: whoever serves requests as well makes them in a thread. A connection is opened for each, can only read, and
sees one moment of the database.
"""

import sqlite3
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from math import inf
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

import orjson
from attrs import evolve

from clawgw.ledger.document import BODIES
from clawgw.ledger.queries import Query, figures, ranking
from clawgw.ledger.question import Question
from clawgw.ledger.rollup import prepare
from clawgw.ledger.usage import Answer, Figures, shown

_STEPS: Final = 100_000
"""How many steps SQLite does before it is asked whether its time is up."""
_BUSY_S: Final = 2.0
_AS_JSON: Final = ("labels", "metadata", "attempts")
_INSIDE: Final = ("number", "at_ms", "cost_pico")
"""Columns that are there for sorting and adding; others show the same."""


class TooSlow(Exception):
    """The time for an answer is up."""


class Unreadable(Exception):
    """The database cannot be read; the message says why."""


def usage(path: Path, question: Question, limit_s: float) -> Answer:
    """The answer; nothing was used where there is no log yet. Raises TooSlow, Unreadable."""
    if not path.exists():
        return Answer(question)
    with _reading(path, limit_s) as connection:
        if _is_empty(connection):
            return Answer(question)
        whole, _ = _groups(connection, evolve(question, groupings=()))
        groups, more = _groups(connection, question) if question.groupings else (whole, 0)
        return Answer(question, groups, more, whole[0] if whole else Figures())


def record(path: Path, request_id: str, key: str | None) -> dict[str, Any] | None:
    """A request by our id, or the newest with this id of its caller's. `key`: only if it is that key's.

    None where there is none. Raises Unreadable.
    """
    if not path.exists():
        return None
    with _reading(path) as connection:
        if _is_empty(connection):
            return None
        connection.row_factory = sqlite3.Row
        for column in ("request_id", "client_request_id"):
            row = connection.execute(
                f"SELECT * FROM requests WHERE {column} = ?1 AND (?2 IS NULL OR key = ?2)"  # noqa: S608 - one of two names
                " ORDER BY at_ms DESC LIMIT 1",
                [request_id, key],
            ).fetchone()
            if row is not None:
                return _shown(row)
    return None


def _is_empty(connection: sqlite3.Connection) -> bool:
    """Whether the database is only just being made: it has no tables yet."""
    return connection.execute("SELECT 1 FROM sqlite_schema LIMIT 1").fetchone() is None


def _groups(connection: sqlite3.Connection, question: Question) -> tuple[list[Figures], int]:
    """As many as the question allows, and how many more there are, of which no more is read than it takes to know."""
    ranks = _rows(connection, ranking(question))
    groups = [group for _, *group in ranks]
    more = ranks[0][0] - len(groups) if ranks else 0
    named = groups if more and all(map(_can_be_named, groups)) else ()
    rows = {row[: len(question.groupings)]: row for row in _rows(connection, figures(question, named))}
    return [shown(question, rows[tuple(group)]) for group in groups], more


def _can_be_named(group: Sequence[Any]) -> bool:
    """Whether SQLite finds it again: it reads the texts of JSON up to their first NUL."""
    return not any(isinstance(value, str) and "\0" in value for value in group)


def _rows(connection: sqlite3.Connection, query: Query) -> list[tuple[Any, ...]]:
    return connection.execute(query.sql, query.parameters).fetchall()


@contextmanager
def _reading(path: Path, limit_s: float = inf) -> Iterator[sqlite3.Connection]:
    until = time.monotonic() + limit_s
    try:
        connection = _open(path)
    except sqlite3.Error as error:
        raise Unreadable(f"{path}: {error}") from None
    try:
        prepare(connection)
        connection.set_progress_handler(lambda: time.monotonic() > until, _STEPS)
        connection.execute("BEGIN")
        yield connection
    except sqlite3.Error as error:
        if time.monotonic() > until:
            raise TooSlow from None
        raise Unreadable(f"{path}: {error}") from None
    finally:
        connection.close()


def _open(path: Path) -> sqlite3.Connection:
    address = f"file:{quote(str(path.absolute()))}?mode=ro"
    return sqlite3.connect(address, uri=True, timeout=_BUSY_S, isolation_level=None)


def _shown(row: sqlite3.Row) -> dict[str, Any]:
    shown = {name: row[name] for name in row.keys() if name not in _INSIDE}  # noqa: SIM118 - a Row iterates over values
    if shown.get("bodies") is None:
        shown = {name: value for name, value in shown.items() if name not in BODIES}
    shown |= {name: orjson.loads(shown[name]) for name in _AS_JSON}
    for attempt in shown["attempts"]:
        attempt.pop("provider_key", None)
    return shown | {"stream": bool(shown["stream"])}
