"""What was spent by each that can have a budget, by the hour and by the day, kept beside the requests in SQLite.

A request is charged here as it is at the limits (`engine.settlement`): its key, its labels and its route with what all
its attempts have cost together; a provider, and the key of its pool, with each attempt. Every charge is rounded up to
whole nano-dollars by itself, so that the sums are those that budgets have come to.

What was spent stays spent: the sums outlast their requests, so that budgets need no record to be kept for long.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from sqlite3 import Connection
from typing import Final, NamedTuple

import orjson
from attrs import frozen

from clawgw.ledger.document import Document, epoch_ms
from clawgw.routing.money import nano_dollars

_MOST_NANO: Final = 4 * 10**15
"""No sum is more, whatever nonsense comes from an upstream, so that none overflows."""
_CACHED: Final = 1024
_KNOWN: Final = (
    "SELECT request_id FROM requests WHERE request_id IN (SELECT value FROM json_each(?)) AND outcome != 'unknown'"
)


class Spender(NamedTuple):
    """Scope and name as those of a bucket of `limits.levels`."""

    scope: str
    name: str


class Charge(NamedTuple):
    """So many nano-dollars; `at_ms`: when it was reserved."""

    spender: Spender
    at_ms: int
    nano: int


@frozen
class Sums:
    """A table of sums: `at` counts such units of time since the Unix epoch, of which `kept` are kept."""

    table: str
    unit_ms: int
    kept: int

    @property
    def schema(self) -> str:
        """The statement that makes it."""
        return (
            f"CREATE TABLE {self.table} (at INTEGER NOT NULL, scope TEXT NOT NULL, name TEXT NOT NULL,"
            " nano INTEGER NOT NULL, PRIMARY KEY (at, scope, name)) WITHOUT ROWID"
        )

    def add(self, connection: Connection, added: Mapping[tuple[int, Spender], int], now_ms: int) -> None:
        """Add sums by unit of time, and forget what is too old."""
        connection.executemany(
            f"INSERT INTO {self.table} VALUES (?, ?, ?, ?)"  # noqa: S608 - a name of this module
            f" ON CONFLICT DO UPDATE SET nano = min(nano + excluded.nano, {_MOST_NANO})",
            [(at, *spender, min(nano, _MOST_NANO)) for (at, spender), nano in added.items()],
        )
        connection.execute(f"DELETE FROM {self.table} WHERE at < ?", [now_ms // self.unit_ms - self.kept])  # noqa: S608 - as above

    def since(self, connection: Connection, since_ms: int) -> Mapping[Spender, int]:
        """What was spent, in nano-dollars."""
        rows = connection.execute(
            f"SELECT scope, name, sum(nano) FROM {self.table} WHERE at >= ? GROUP BY scope, name",  # noqa: S608 - as above
            [since_ms // self.unit_ms],
        )
        return {Spender(scope, name): nano for scope, name, nano in rows}


_HOURS: Final = Sums("spent_hours", 3_600_000, kept=48)
_DAYS: Final = Sums("spent_days", 86_400_000, kept=62)
"""A month has 31 at most."""

SCHEMA: Final = (
    _HOURS.schema,
    _DAYS.schema,
    "CREATE TABLE ledger (id TEXT NOT NULL)",
    "INSERT INTO ledger SELECT lower(hex(randomblob(16)))",
)
"""The statements of the migration that adds the sums, and what tells this database from others."""


def charges(document: Document) -> Iterator[Charge]:
    """What a record is charged, and whom."""
    at_ms, nano = epoch_ms(document["at"]), nano_dollars(document["cost_pico"] or 0)
    if nano:
        for spender in _callers(document["key"], document["route"], *document["labels"].items()):
            yield Charge(spender, at_ms, nano)
    for attempt in document["attempts"]:
        nano = nano_dollars(attempt["cost_pico"] or 0)
        if nano:
            began_ms = at_ms + int(attempt["started_ms"])
            for spender in _providers(attempt["target"], attempt.get("provider_key")):  # older records have no key
                yield Charge(spender, began_ms, nano)


def not_there(connection: Connection, request_ids: Collection[str]) -> set[str]:
    """Those of which the database has no final record."""
    known = connection.execute(_KNOWN, [orjson.dumps([*request_ids]).decode()])
    return {*request_ids}.difference(request_id for (request_id,) in known)


def add(connection: Connection, documents: Iterable[Document], now_ms: int) -> None:
    """Add up what records are charged that were `not_there`. Within the caller's transaction."""
    hours, days = defaultdict[tuple[int, Spender], int](int), defaultdict[tuple[int, Spender], int](int)
    for document in documents:
        for spender, at_ms, nano in charges(document):
            hours[at_ms // _HOURS.unit_ms, spender] += nano
    for (hour, spender), nano in hours.items():
        days[hour * _HOURS.unit_ms // _DAYS.unit_ms, spender] += nano
    _HOURS.add(connection, hours, now_ms)
    _DAYS.add(connection, days, now_ms)


def spent_since(connection: Connection, since_ms: int) -> Mapping[Spender, int]:
    """What was spent since the beginning of an hour, a day or a month, in nano-dollars."""
    sums = _HOURS if since_ms % _DAYS.unit_ms else _DAYS
    return sums.since(connection, since_ms)


@lru_cache(_CACHED)
def _callers(key: str | None, route: str | None, *labels: tuple[str, str]) -> Sequence[Spender]:
    return (
        *([Spender("key", key)] if key is not None else []),
        *(Spender("label", f"{name}:{value}") for name, value in labels),
        *([Spender("route", route)] if route is not None else []),
    )


@lru_cache(_CACHED)
def _providers(target: str, key: str | None) -> Sequence[Spender]:
    provider, _, _ = target.partition("/")
    pool = [Spender("provider_key", f"{provider}/{key}")] if key is not None else []
    return Spender("provider", provider), *pool
