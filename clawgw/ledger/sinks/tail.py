"""Following what one writer writes: the records after a cursor, and, of a dead writer, what it has left undone."""

import logging
from collections.abc import Iterator, Sequence
from pathlib import Path

import orjson
from attrs import evolve, frozen

from clawgw.ledger.document import Document
from clawgw.ledger.journal.frame import Kind
from clawgw.ledger.journal.segment import read_all, read_page
from clawgw.ledger.journal.spool import WriterFolder
from clawgw.ledger.sinks.cursor import Cursor

log = logging.getLogger("clawgw")


@frozen
class Batch:
    """Documents, and where the cursor is once they are delivered. There may be none, and the cursor moves still."""

    documents: Sequence[Document]
    cursor: Cursor


def next_batch(folder: WriterFolder, cursor: Cursor) -> Batch | None:
    """What follows the cursor; None: nothing yet, or, where the writer is dead, nothing any more. Raises OSError."""
    dead = not folder.alive()  # asked first: what a dead writer has written by now is all
    numbers = [number for number in folder.segments() if number >= cursor.segment]
    if not numbers:
        return None
    if numbers[0] > cursor.segment:
        cursor = evolve(cursor, segment=numbers[0], offset=0)
    return _next_in(folder.segment(numbers[0]), cursor, sealed=dead or len(numbers) > 1, last=len(numbers) == 1)


def _next_in(segment: Path, cursor: Cursor, *, sealed: bool, last: bool) -> Batch | None:
    """As `next_batch`, of the segment that the cursor is in; `last`: there is no other after it."""
    page = read_page(segment, cursor.offset, sealed=sealed)
    if page.damaged:
        log.error("%s: %d bytes before byte %d cannot be read", segment, page.damaged, page.end)
    documents = [orjson.loads(frame.payload) for frame in page.frames if frame.kind is Kind.FINAL]
    rows = cursor.rows + len(documents)
    if page.whole:
        left = [*_left_undone(segment)] if last else []
        return Batch([*documents, *left], Cursor(cursor.segment + 1, 0, rows))
    if page.end == cursor.offset:
        return None
    return Batch(documents, Cursor(cursor.segment, page.end, rows))


def _left_undone(segment: Path) -> Iterator[Document]:
    """The intents of a dead writer's last segment that no record follows."""
    undone = dict[str, Document]()
    for frame in read_all(segment):
        found = orjson.loads(frame.payload)
        if frame.kind is Kind.INTENT:
            undone[found["request_id"]] = found
        else:
            undone.pop(found["request_id"], None)
    yield from undone.values()
