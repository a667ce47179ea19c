import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from attrs import define

from clawgw.ledger.journal.journal import Journal
from clawgw.ledger.journal.spool import Spool, WriterFolder
from clawgw.ledger.record import RequestRecord
from clawgw.ledger.sinks.cursor import Cursor
from clawgw.ledger.sinks.drain import Drain
from clawgw.ledger.sinks.schema import NewerDatabase
from clawgw.ledger.spending import Spender
from clawgw.ledger.spent import Spending, spending
from tests.ledger.records import begun
from tests.ledger.test_spending import FEBRUARY_MS, NOW_MS, attempt, whole

OPENAI = Spender("provider", "openai")


@define
class Log:
    folder: Path

    @property
    def path(self) -> Path:
        return self.folder / "clawgw.db"

    @property
    def spool(self) -> Spool:
        return Spool(self.folder / "spool")

    def journal(self) -> Journal:
        return Journal.open(self.spool.path, 2**20)

    def drain(self) -> None:
        """All that is there, and of dead writers the folders go."""
        work = Drain(self.spool, self.path, 30)
        work.stop()
        work.run()

    def read(self) -> Spending:
        return spending(self.path, self.spool, [FEBRUARY_MS])

    def nano(self) -> int:
        return self.read().since[FEBRUARY_MS].get(OPENAI, 0)


@pytest.fixture
def log(tmp_path: Path) -> Log:
    return Log(tmp_path)


def record(request_id: str, nano: int = 1) -> RequestRecord:
    return whole(request_id, NOW_MS, [attempt(pico=nano * 1_000)])


def test_nothing_was_spent_where_there_is_no_log(log: Log) -> None:
    assert log.read().since == {FEBRUARY_MS: {}}


def test_a_database_is_told_from_another_and_stays_the_same(log: Log, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    assert log.read().ledger == log.read().ledger != Log(tmp_path / "other").read().ledger


def test_a_record_is_there_at_each_step_of_its_way(log: Log) -> None:
    with closing(log.journal()) as journal:
        journal.intend(begun("a", NOW_MS))
        assert log.nano() == 0
        journal.request_ended(record("a", 7))
        assert log.nano() == 7
        log.drain()
        assert log.nano() == 7
        journal.request_ended(record("b", 20))
        assert log.nano() == 27
    assert log.nano() == 27
    log.drain()
    assert log.nano() == 27
    assert [*log.spool.writers()] == []


def test_a_cursor_that_is_behind_counts_nothing_twice(log: Log) -> None:
    with closing(log.journal()) as journal:
        for number in range(3):
            journal.request_ended(record(str(number)))
        log.drain()
        Cursor().save(journal.folder, "sqlite")
        assert log.nano() == 3


def test_what_a_dead_process_has_left_undone_has_cost_nothing_that_is_known(log: Log) -> None:
    journal = log.journal()
    journal.request_ended(record("a", 7))
    journal.intend(begun("b", NOW_MS))
    journal.close()
    assert log.nano() == 7


def test_a_writer_whose_folder_goes_meanwhile_has_delivered_all(log: Log, monkeypatch: pytest.MonkeyPatch) -> None:
    with closing(log.journal()) as journal:
        journal.request_ended(record("a", 7))
    load = Cursor.load

    def removed_before(folder: WriterFolder, sink: str) -> Cursor:
        log.drain()
        return load(folder, sink)

    monkeypatch.setattr(Cursor, "load", removed_before)
    assert log.nano() == 7


def test_a_later_versions_database_is_left_alone(log: Log) -> None:
    with closing(sqlite3.connect(log.path)) as connection:
        connection.execute("PRAGMA user_version = 99")
    with pytest.raises(NewerDatabase):
        log.read()


def test_of_the_database_alone(log: Log) -> None:
    with closing(log.journal()) as journal:
        journal.request_ended(record("a", 7))
        log.drain()
        journal.request_ended(record("b", 20))
        assert spending(log.path, None, [FEBRUARY_MS]).since == {FEBRUARY_MS: {OPENAI: 7}}
