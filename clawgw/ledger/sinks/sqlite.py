"""The sink that is always there: the table `requests` of the database `log.path`, and the dead letters of all sinks."""

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from operator import itemgetter
from pathlib import Path
from typing import Any

import orjson
from attrs import define, field

from clawgw.clock import now_ms
from clawgw.ledger import rollup, spending
from clawgw.ledger.document import BODIES, Document, epoch_ms, iso_utc
from clawgw.ledger.sinks.schema import NewerDatabase, open_database, transaction
from clawgw.ledger.sinks.sink import Rejected, SinkAway

_FIELDS = (
    "request_id",
    "client_request_id",
    "at",
    "key",
    "labels",
    "user",
    "metadata",
    "endpoint",
    "route",
    "stream",
    "config_version",
    "outcome",
    "status",
    "error_code",
    "provider",
    "model",
    "finish_reason",
    "prompt_tokens",
    "cached_tokens",
    "completion_tokens",
    "reasoning_tokens",
    "usage_source",
    "cost_usd",
    "cost_pico",
    "cache",
    "first_token_ms",
    "duration_ms",
    "attempts",
)
_AS_JSON = [_FIELDS.index(name) for name in ("labels", "metadata", "attempts")]
_COLUMNS = (*_FIELDS, *BODIES, "at_ms")
_fields = itemgetter(*_FIELDS)
_UPSERT = (
    f"INSERT INTO requests ({', '.join(_COLUMNS)}) VALUES ({', '.join('?' * len(_COLUMNS))})"  # noqa: S608 - constants
    f" ON CONFLICT (request_id) DO UPDATE SET {', '.join(f'{name} = excluded.{name}' for name in _COLUMNS[1:])}"
)
_PRUNE = "DELETE FROM requests WHERE rowid IN (SELECT rowid FROM requests WHERE at_ms < ? ORDER BY at_ms LIMIT ?)"
_PRUNE_DEAD_LETTERS = "DELETE FROM dead_letters WHERE at < ?"
_REFUSALS = (sqlite3.IntegrityError, sqlite3.ProgrammingError, sqlite3.InterfaceError, OverflowError, LookupError)
_FEW = 500


@define(eq=False)
class Database:
    """A connection of one thread, opened when it is needed and anew after an error."""

    path: Path
    _connection: sqlite3.Connection | None = field(init=False, default=None)

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """All or nothing, and durable. Raises SinkAway."""
        try:
            if self._connection is None:
                self._connection = open_database(self.path)
            with transaction(self._connection):
                yield self._connection
        except (sqlite3.Error, NewerDatabase) as error:
            self.close()
            raise SinkAway(f"{self.path}: {error}") from None

    def close(self) -> None:
        """It may be used again."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None


@define(eq=False)
class SqliteSink:
    """A `Sink`. `now_ms`: since the epoch."""

    database: Database
    name: str = "sqlite"
    now_ms: Callable[[], int] = now_ms

    def deliver(self, documents: Sequence[Document]) -> Sequence[Rejected]:
        """As `Sink.deliver`, in one transaction."""
        rejected = []
        with self.database.transaction() as connection:
            given = {document["request_id"]: document for document in documents}
            new = {each: given[each] for each in spending.not_there(connection, given)}
            for document in documents:
                try:
                    connection.execute(_UPSERT, _row(document))
                except _REFUSALS as refusal:
                    rejected.append(Rejected(document, str(refusal)))
                    new.pop(document["request_id"], None)
            rollup.fold(connection)
            spending.add(connection, new.values(), self.now_ms())
        return rejected

    def close(self) -> None:
        """As `Sink.close`."""
        self.database.close()


def keep_dead_letters(database: Database, sink: str, rejected: Sequence[Rejected], now_ms: int) -> None:
    """Put them where they can be found. Raises SinkAway."""
    rows = [
        (sink, letter.document["request_id"], letter.reason, orjson.dumps(letter.document).decode(), iso_utc(now_ms))
        for letter in rejected
    ]
    with database.transaction() as connection:
        connection.executemany("INSERT OR REPLACE INTO dead_letters VALUES (?, ?, ?, ?, ?)", rows)


def prune(database: Database, before_ms: int) -> bool:
    """Delete some of the requests that are older, and all such dead letters; whether more is to do. Raises SinkAway."""
    with database.transaction() as connection:
        connection.execute(_PRUNE_DEAD_LETTERS, [iso_utc(before_ms)])
        pruned = connection.execute(_PRUNE, (before_ms, _FEW)).rowcount
        return rollup.fold(connection) or pruned == _FEW


def _row(document: Document) -> Sequence[Any]:
    """Its values in the order of `_COLUMNS`."""
    values = [*_fields(document), *map(document.get, BODIES), epoch_ms(document["at"])]
    for place in _AS_JSON:
        values[place] = orjson.dumps(values[place]).decode()
    return values
