"""What was spent by now: as the database has it, and what is in the journals and has not come there yet."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import closing, suppress
from pathlib import Path
from sqlite3 import Connection

from attrs import frozen

from clawgw.ledger.document import Document
from clawgw.ledger.journal.spool import Spool, WriterFolder
from clawgw.ledger.sinks.cursor import Cursor
from clawgw.ledger.sinks.schema import open_database
from clawgw.ledger.sinks.tail import next_batch
from clawgw.ledger.spending import Charge, Spender, charges, not_there, spent_since


@frozen
class Spending:
    """In nano-dollars, since each of the moments asked about. `ledger` tells the database from others."""

    ledger: str
    since: Mapping[int, Mapping[Spender, int]]


def spending(path: Path, spool: Spool | None, moments: Collection[int]) -> Spending:
    """What was spent since each of these beginnings of an hour, a day or a month (ms since the epoch).

    `spool`: where the journals are; None: of what the database has alone. It is made or brought up to date where need
    be. Blocks. Raises sqlite3.Error, NewerDatabase, OSError.
    """
    waiting = {} if spool is None else dict(_waiting(spool))
    with closing(open_database(path)) as connection:  # later: what was not waiting any more is there
        connection.execute("BEGIN")
        (ledger,) = connection.execute("SELECT id FROM ledger").fetchone()
        coming = [charge for request_id in not_there(connection, waiting) for charge in waiting[request_id]]
        return Spending(ledger, {moment: _since(connection, moment, coming) for moment in moments})


def _waiting(spool: Spool) -> Iterator[tuple[str, Sequence[Charge]]]:
    for folder in spool.writers():
        for document in _documents(folder):
            if document["cost_pico"]:
                yield document["request_id"], [*charges(document)]


def _documents(folder: WriterFolder) -> Iterator[Document]:
    with suppress(FileNotFoundError):  # all of it was delivered, and it is gone
        cursor = Cursor.load(folder, "sqlite")
        while (batch := next_batch(folder, cursor)) is not None:
            yield from batch.documents
            cursor = batch.cursor


def _since(connection: Connection, since_ms: int, coming: Iterable[Charge]) -> Mapping[Spender, int]:
    spent = {**spent_since(connection, since_ms)}
    for spender, at_ms, nano in coming:
        if at_ms >= since_ms:
            spent[spender] = spent.get(spender, 0) + nano
    return spent
