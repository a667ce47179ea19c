from pathlib import Path

import pytest

from clawgw.ledger.document import Document
from clawgw.ledger.journal.journal import Journal
from clawgw.ledger.journal.spool import Spool, WriterFolder
from clawgw.ledger.sinks.cursor import Cursor
from clawgw.ledger.sinks.tail import next_batch
from tests.ledger.records import begun, ended

MIB = 1024 * 1024


def folder(path: Path) -> WriterFolder:
    (writer,) = Spool(path).writers()
    return writer


def follow(writer: WriterFolder, cursor: Cursor) -> tuple[list[Document], Cursor]:
    """All that there is at present."""
    documents = list[Document]()
    while (batch := next_batch(writer, cursor)) is not None:
        documents += batch.documents
        cursor = batch.cursor
    return documents, cursor


def outcomes(documents: list[Document]) -> list[tuple[str, str]]:
    return [(each["request_id"], each["outcome"]) for each in documents]


def test_a_living_writers_records_come_as_they_are_written(tmp_path: Path) -> None:
    journal = Journal.open(tmp_path, 64 * MIB)
    assert follow(folder(tmp_path), Cursor())[0] == []
    journal.intend(begun("a"))
    journal.intend(begun("b"))
    journal.request_ended(ended("b"))
    documents, cursor = follow(folder(tmp_path), Cursor())
    assert outcomes(documents) == [("b", "ok")]
    assert cursor.rows == 1
    journal.request_ended(ended("a"))
    documents, cursor = follow(folder(tmp_path), cursor)
    assert outcomes(documents) == [("a", "ok")]
    assert cursor.rows == 2
    journal.close()


def test_what_a_dead_writer_has_left_undone_comes_last_as_unknown(tmp_path: Path) -> None:
    journal = Journal.open(tmp_path, 64 * MIB)
    journal.intend(begun("a"))
    journal.intend(begun("b"))
    journal.intend(begun("c"))
    journal.request_ended(ended("b"))
    journal.close()
    documents, cursor = follow(folder(tmp_path), Cursor())
    assert outcomes(documents) == [("b", "ok"), ("a", "unknown"), ("c", "unknown")]
    assert documents[1]["status"] is None
    assert follow(folder(tmp_path), cursor) == ([], cursor)


@pytest.mark.parametrize("looks", [1, 10_000])
def test_over_many_segments_nothing_is_missing_and_nothing_comes_twice(tmp_path: Path, looks: int) -> None:
    """Looked at in the end, or after every request."""
    journal = Journal.open(tmp_path, MIB)
    journal.intend(begun("open"))
    documents, cursor = list[Document](), Cursor()
    for number in range(200):
        journal.intend(begun(f"r{number}"))
        journal.request_ended(ended(f"r{number}"))
        if looks > 1:
            more, cursor = follow(folder(tmp_path), cursor)
            documents += more
    assert folder(tmp_path).segments()[-1] > 5
    journal.close()
    more, _ = follow(folder(tmp_path), cursor)
    assert outcomes(documents + more) == [*((f"r{number}", "ok") for number in range(200)), ("open", "unknown")]


def test_segments_that_are_gone_were_delivered(tmp_path: Path) -> None:
    journal = Journal.open(tmp_path, MIB)
    while len(folder(tmp_path).segments()) < 3:
        journal.intend(begun("a"))
        journal.request_ended(ended("a"))
    journal.close()
    writer = folder(tmp_path)
    writer.segment(1).unlink()
    writer.segment(2).unlink()
    _, cursor = follow(writer, Cursor())
    assert cursor == Cursor(4, 0, cursor.rows)


def test_damage_is_told_and_costs_one_record(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    journal = Journal.open(tmp_path, 64 * MIB)
    for name in ("a", "b", "c"):
        journal.intend(begun(name))
        journal.request_ended(ended(name, model=f"model of {name}"))
    journal.close()
    segment = folder(tmp_path).segment(1)
    segment.write_bytes(segment.read_bytes().replace(b"model of b", b"model of x"))
    documents, _ = follow(folder(tmp_path), Cursor())
    assert outcomes(documents) == [("a", "ok"), ("c", "ok"), ("b", "unknown")]
    assert "cannot be read" in caplog.text
