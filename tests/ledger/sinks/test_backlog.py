from pathlib import Path

import pytest

from clawgw.ledger.journal.journal import Journal
from clawgw.ledger.journal.spool import Spool, WriterFolder
from clawgw.ledger.sinks.backlog import Backlog
from clawgw.ledger.sinks.cursor import Cursor
from clawgw.ledger.sinks.tail import next_batch
from tests.ledger.records import begun, ended

SINKS = ("sqlite", "mongo")


def journal_with(spool: Path, records: int) -> Journal:
    journal = Journal.open(spool, 2**27)
    for number in range(records):
        journal.intend(begun(f"r{number}"))
        journal.request_ended(ended(f"r{number}"))
    journal.intend(begun("open"))
    return journal


def backlog_of(journal: Journal) -> Backlog:
    return Backlog(journal.spool, journal.folder, SINKS)


def test_what_any_sink_lacks_counts(tmp_path: Path) -> None:
    journal = journal_with(tmp_path, 5)
    backlog = backlog_of(journal)
    assert backlog.rows(journal.rows) == 5
    Cursor(1, 100, 4).save(journal.folder, "sqlite")
    assert backlog.rows(journal.rows) == 5
    Cursor(1, 100, 1).save(journal.folder, "mongo")
    assert backlog.rows(journal.rows) == 4
    journal.close()


def test_one_of_the_living_answers_for_the_dead(tmp_path: Path) -> None:
    for records in (3, 4):
        journal_with(tmp_path, records).close()
    living = [journal_with(tmp_path, records) for records in (10, 20)]
    found = {journal.folder.path: backlog_of(journal).rows(journal.rows) for journal in living}
    assert sorted(found) == sorted(journal.folder.path for journal in living)
    assert sum(found.values()) == 3 + 4 + 10 + 20
    for journal in living:
        assert found[journal.folder.path] - journal.rows in (0, 7)
        journal.close()


def test_what_is_delivered_of_the_dead_counts_no_more(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    dead = journal_with(tmp_path, 3)
    dead.close()
    (left,) = Spool(tmp_path).writers()
    journal = journal_with(tmp_path, 0)
    backlog = backlog_of(journal)
    assert backlog.rows(0) == 3
    batch = next_batch(left, Cursor())
    assert batch is not None
    for sink in SINKS:
        batch.cursor.save(left, sink)
    monkeypatch.setattr("clawgw.ledger.sinks.backlog.read_page", lambda *_: pytest.fail("it is read once"))
    assert backlog.rows(0) == 0
    left.remove()
    assert backlog.rows(0) == 0
    journal.close()


def test_a_folder_that_goes_meanwhile_holds_nothing(tmp_path: Path) -> None:
    journal_with(tmp_path, 3).close()
    (left,) = Spool(tmp_path).writers()
    journal = journal_with(tmp_path, 0)
    backlog = backlog_of(journal)
    left.remove()
    assert backlog._left_by(left) == 0
    journal.close()


def test_a_folder_that_goes_while_the_living_are_told_from_the_dead_holds_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal = journal_with(tmp_path, 2)
    gone = WriterFolder(tmp_path / "w-0")
    monkeypatch.setattr(Spool, "writers", lambda _: [gone, journal.folder])
    assert backlog_of(journal).rows(journal.rows) == 2
    journal.close()
