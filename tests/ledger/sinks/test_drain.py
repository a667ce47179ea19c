import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from clawgw.ledger.journal.journal import Journal
from clawgw.ledger.journal.spool import Spool
from clawgw.ledger.sinks.drain import Drain
from clawgw.ledger.sinks.schema import open_database
from clawgw.ledger.sinks.sink import Rejected
from clawgw.ledger.sinks.sqlite import Database, SqliteSink, keep_dead_letters
from tests.ledger.records import begun, document, ended, outcomes, rows
from tests.ledger.sinks.test_follower import Store
from tests.waiting import PATIENCE_S, until_sync

MIB = 1024 * 1024
DAY_MS = 86_400_000


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("clawgw.ledger.sinks.drain._TIDY_EVERY_S", 0.01)
    monkeypatch.setattr("clawgw.ledger.sinks.drain._TRY_EVERY_S", 0.01)
    monkeypatch.setattr("clawgw.ledger.sinks.drain._BETWEEN_PRUNINGS_S", 0.001)
    monkeypatch.setattr("clawgw.ledger.sinks.follower._FIRST_WAIT_S", 0.001)


def drain_of(folder: Path, *others: Store) -> Drain:
    return Drain(Spool(folder / "spool"), folder / "clawgw.db", 30, others)


@contextmanager
def running(drain: Drain) -> Iterator[None]:
    thread = threading.Thread(target=drain.run)
    thread.start()
    try:
        yield
    finally:
        drain.stop()
        thread.join(PATIENCE_S)
        assert not thread.is_alive()


def serve(journal: Journal, *names: str) -> None:
    now_ms = time.time_ns() // 1_000_000
    for name in names:
        journal.intend(begun(name, now_ms))
        journal.request_ended(ended(name, now_ms))


def test_the_dead_are_adopted_and_what_every_sink_has_passed_is_deleted(tmp_path: Path) -> None:
    store = Store(wanted=401)
    dead, living = (Journal.open(tmp_path / "spool", MIB) for _ in range(2))
    serve(dead, *(f"d{number}" for number in range(200)))
    dead.intend(begun("cut short", time.time_ns() // 1_000_000))
    dead.close()
    serve(living, *(f"l{number}" for number in range(200)))
    (folder,) = (writer for writer in Spool(tmp_path / "spool").writers() if writer.alive())
    last = folder.segments()[-1]
    assert last > 3
    with running(drain_of(tmp_path, store)):
        assert store.complete.wait(PATIENCE_S)
        until_sync(lambda: [*Spool(tmp_path / "spool").writers()] == [folder] and folder.segments() == [last])
    living.close()
    names = [f"{which}{number}" for which in "dl" for number in range(200)]
    assert outcomes(tmp_path / "clawgw.db") == dict.fromkeys(names, "ok") | {"cut short": "unknown"}
    assert sorted(store.requests) == sorted([*names, "cut short"])


def test_what_one_sink_lacks_is_kept_for_it(tmp_path: Path) -> None:
    journal = Journal.open(tmp_path / "spool", MIB)
    serve(journal, *(f"r{number}" for number in range(100)))
    journal.close()
    open_database(tmp_path / "clawgw.db").close()
    away = Store(away=10**9)
    with running(drain_of(tmp_path, away)):
        until_sync(lambda: len(outcomes(tmp_path / "clawgw.db")) == 100)
        (folder,) = Spool(tmp_path / "spool").writers()
        assert folder.segments()[0] == 1
    back = Store(wanted=100)
    with running(drain_of(tmp_path, back)):
        assert back.complete.wait(PATIENCE_S)
        until_sync(lambda: not [*Spool(tmp_path / "spool").writers()])
    assert sorted(back.requests) == sorted(f"r{number}" for number in range(100))
    assert rows(tmp_path / "clawgw.db", "SELECT count(*) FROM requests") == [(100,)]


def test_only_one_drains_a_spool(tmp_path: Path) -> None:
    first, second = Store(), Store()
    journal = Journal.open(tmp_path / "spool", MIB)
    with running(drain_of(tmp_path, first)):
        serve(journal, "a")
        assert first.complete.wait(PATIENCE_S)
        waiting = drain_of(tmp_path, second)
        with running(waiting):
            pass
        assert second.requests == []
    with running(drain_of(tmp_path, second)):
        serve(journal, "b")
        assert second.complete.wait(PATIENCE_S)
    assert (first.requests, second.requests) == (["a"], ["b"])
    journal.close()


def test_a_sink_that_fails_beyond_help_ends_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(threading, "excepthook", lambda _: None)

    def failing(_: object) -> bool:
        raise ZeroDivisionError

    monkeypatch.setattr("clawgw.ledger.sinks.follower.Follower._round", failing)
    with pytest.raises(RuntimeError, match="a sink has failed"):
        drain_of(tmp_path).run()


def test_records_older_than_the_retention_go(tmp_path: Path) -> None:
    now_ms = time.time_ns() // 1_000_000
    sink = SqliteSink(Database(tmp_path / "clawgw.db"))
    sink.deliver([document(ended(f"old{number}", now_ms - 31 * DAY_MS)) for number in range(1200)])
    sink.deliver([document(ended("new", now_ms - 29 * DAY_MS))])
    sink.close()
    with running(drain_of(tmp_path)):
        until_sync(lambda: outcomes(tmp_path / "clawgw.db") == {"new": "ok"})


def test_a_database_that_cannot_be_pruned_is_told(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "clawgw.db").mkdir()
    with running(drain_of(tmp_path)):
        until_sync(lambda: "old records cannot be deleted" in caplog.text)


def test_a_folder_that_cannot_be_removed_yet_is_removed_later(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    store = Store()
    journal = Journal.open(tmp_path / "spool", MIB)
    serve(journal, "a")
    (folder,) = Spool(tmp_path / "spool").writers()
    (folder.path / "in the way").mkdir()
    journal.close()
    with running(drain_of(tmp_path, store)):
        until_sync(lambda: "the spool cannot be tidied" in caplog.text)
        (folder.path / "in the way").rmdir()
        until_sync(lambda: not folder.path.exists())


def test_dead_letters_go_with_the_records_of_their_time(tmp_path: Path) -> None:
    now_ms = time.time_ns() // 1_000_000
    database = Database(tmp_path / "clawgw.db")
    for name, days in (("old", 31), ("new", 29)):
        refused = Rejected(document(ended(name, now_ms - days * DAY_MS)), "too large")
        keep_dead_letters(database, "mongo", [refused], now_ms - days * DAY_MS)
    database.close()
    with running(drain_of(tmp_path)):
        until_sync(lambda: rows(tmp_path / "clawgw.db", "SELECT request_id FROM dead_letters") == [("new",)])
