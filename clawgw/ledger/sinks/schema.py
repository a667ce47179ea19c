"""The database `log.path`: its tables and indexes, and how an older one becomes a newer one.

`PRAGMA user_version` counts the migrations that a database has had (sqlite.org/pragma.html#pragma_user_version).
A migration that has been released is never changed; another is added.
"""

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from itertools import chain
from pathlib import Path

from clawgw.ledger import rollup, spending

_COLUMNS = """
        client_request_id TEXT,
        at TEXT NOT NULL,           -- ISO 8601, UTC
        at_ms INTEGER NOT NULL,     -- the same, since the epoch
        key TEXT,
        labels TEXT NOT NULL,       -- JSON: an object of strings
        user TEXT,
        metadata TEXT NOT NULL,     -- JSON: an object of strings
        endpoint TEXT NOT NULL,
        route TEXT,
        stream INTEGER NOT NULL,
        config_version TEXT NOT NULL,
        outcome TEXT NOT NULL,
        status INTEGER,
        error_code TEXT,
        provider TEXT,
        model TEXT,
        finish_reason TEXT,
        prompt_tokens INTEGER,
        cached_tokens INTEGER,
        completion_tokens INTEGER,
        reasoning_tokens INTEGER,
        usage_source TEXT,
        cost_usd REAL,
        cost_pico INTEGER,
        cache TEXT,
        first_token_ms REAL,
        duration_ms REAL,
        attempts TEXT NOT NULL      -- JSON: an array of objects
"""
_INDEXES = (
    "CREATE INDEX requests_at ON requests (at_ms)",
    "CREATE INDEX requests_client ON requests (client_request_id) WHERE client_request_id IS NOT NULL",
)
_BODIES = """
        bodies TEXT,                -- `kept`, `dropped`, or NULL where they are not wanted
        request_body TEXT,          -- JSON, or the beginning of it
        response_body TEXT          -- likewise
"""
_NUMBERED = (
    f"CREATE TABLE numbered (number INTEGER PRIMARY KEY, request_id TEXT UNIQUE, {_COLUMNS}, {_BODIES})",
    "INSERT INTO numbered SELECT NULL, * FROM requests ORDER BY rowid",
    "DROP TABLE requests",
    "ALTER TABLE numbered RENAME TO requests",
    *_INDEXES,
)
"""Requests by a number in the order in which they came, which is theirs whatever becomes of the file (VACUUM)."""
_DEAD_LETTERS = """
    CREATE TABLE dead_letters (
        sink TEXT NOT NULL,
        request_id TEXT NOT NULL,
        reason TEXT NOT NULL,
        document TEXT NOT NULL,     -- JSON
        at TEXT NOT NULL,           -- when it was refused: ISO 8601, UTC
        PRIMARY KEY (sink, request_id)
    )
"""

MIGRATIONS: Sequence[Sequence[str]] = (
    (
        f"CREATE TABLE requests (request_id TEXT PRIMARY KEY, {_COLUMNS})",
        *_INDEXES,
        _DEAD_LETTERS,
    ),
    (),  # had sums, which a later one makes anew
    tuple(f"ALTER TABLE requests ADD COLUMN {name} TEXT" for name in ("bodies", "request_body", "response_body")),
    spending.SCHEMA,
    (),  # had other sums
    (*_NUMBERED, *rollup.SCHEMA),
)
"""Each is a sequence of statements."""

_BUSY_S = 5.0
_OWN_MODE = 0o600


class NewerDatabase(Exception):
    """The database was made by a later version of the gateway."""


def open_database(path: Path) -> sqlite3.Connection:
    """A connection for one thread, to a database that is made, for our own user alone, or brought up to date.

    Whatever is committed on it outlasts a power cut. Raises sqlite3.Error, NewerDatabase.
    """
    with suppress(OSError):  # SQLite will say it better
        path.touch(_OWN_MODE)
    connection = sqlite3.connect(path, timeout=_BUSY_S, isolation_level=None)
    try:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA temp_store = MEMORY")
        _migrate(connection)
        rollup.prepare(connection)
    except BaseException:
        connection.close()
        raise
    return connection


@contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[None]:
    """All or nothing of what is written within."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


def _migrate(connection: sqlite3.Connection) -> None:
    if _version(connection) == len(MIGRATIONS):
        return
    with transaction(connection):
        version = _version(connection)  # another process may have been faster
        if version > len(MIGRATIONS):
            raise NewerDatabase(f"made by a later version of clawgw (schema {version}, known up to {len(MIGRATIONS)})")
        for statement in chain.from_iterable(MIGRATIONS[version:]):
            connection.execute(statement)
        connection.execute(f"PRAGMA user_version = {len(MIGRATIONS)}")


def _version(connection: sqlite3.Connection) -> int:
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    return int(version)
