import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from clawgw.ledger.document import Document
from clawgw.ledger.journal.journal import Journal
from clawgw.ledger.journal.spool import Spool
from clawgw.ledger.sinks.cursor import Cursor
from clawgw.ledger.sinks.follower import Follower
from clawgw.ledger.sinks.sink import Rejected, SinkAway
from tests.ledger.records import begun, ended

MIB = 1024 * 1024


class Store:
    """A `Sink` in memory, which is away for so many calls; `wanted` is set when so many requests are there."""

    name = "store"

    def __init__(self, away: int = 0, error: Exception | None = None, wanted: int = 1) -> None:
        self.away, self.error = away, error or SinkAway("nobody is there")
        self.requests = list[str]()
        self.reject = set[str]()
        self.closed = False
        self.wanted, self.complete = wanted, threading.Event()

    def deliver(self, documents: Sequence[Document]) -> Sequence[Rejected]:
        if self.away > 0:
            self.away -= 1
            raise self.error
        rejected = [Rejected(each, "not liked") for each in documents if each["request_id"] in self.reject]
        self.requests += [each["request_id"] for each in documents if each["request_id"] not in self.reject]
        if len(self.requests) >= self.wanted:
            self.complete.set()
        return rejected

    def close(self) -> None:
        self.closed = True


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("clawgw.ledger.sinks.follower._FIRST_WAIT_S", 0.001)
    monkeypatch.setattr("clawgw.ledger.sinks.follower._LOOK_EVERY_S", 0.001)


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    journal = Journal.open(tmp_path, 64 * MIB)
    yield journal
    journal.close()


def serve(journal: Journal, *names: str) -> None:
    for name in names:
        journal.intend(begun(name))
        journal.request_ended(ended(name))


def no_letters(_sink: str, _rejected: Sequence[Rejected]) -> None:
    pytest.fail("nothing is rejected")


@contextmanager
def following(follower: Follower) -> Iterator[None]:
    thread = threading.Thread(target=follower.run)
    thread.start()
    try:
        yield
    finally:
        follower.stop.set()
        thread.join(10)
        assert not thread.is_alive()


def test_what_comes_is_delivered_and_the_cursor_follows(journal: Journal, tmp_path: Path) -> None:
    store = Store(wanted=3)
    follower = Follower(store, Spool(tmp_path), no_letters, threading.Event())
    with following(follower):
        serve(journal, "a", "b", "c")
        assert store.complete.wait(10)
    assert store.requests == ["a", "b", "c"]
    assert store.closed
    (writer,) = Spool(tmp_path).writers()
    assert Cursor.load(writer, "store") == follower.cursor(writer)
    assert follower.cursor(writer).rows == 3


@pytest.mark.parametrize("error", [SinkAway("nobody is there"), ZeroDivisionError("a bug")])
def test_a_sink_that_was_away_misses_nothing(journal: Journal, tmp_path: Path, error: Exception) -> None:
    store = Store(away=5, error=error, wanted=3)
    serve(journal, "a")
    with following(Follower(store, Spool(tmp_path), no_letters, threading.Event())):
        serve(journal, "b", "c")
        assert store.complete.wait(10)
    assert store.requests == ["a", "b", "c"]


def test_who_was_told_to_stop_while_the_sink_is_away_leaves_the_rest_to_the_next(
    journal: Journal, tmp_path: Path
) -> None:
    serve(journal, "a")
    stop = threading.Event()
    stop.set()
    Follower(Store(away=10**9), Spool(tmp_path), no_letters, stop).run()
    store = Store()
    Follower(store, Spool(tmp_path), no_letters, stop).run()
    assert store.requests == ["a"]


def test_what_is_rejected_is_kept_before_the_cursor_moves(journal: Journal, tmp_path: Path) -> None:
    store, letters = Store(wanted=4), list[tuple[str, str, str]]()
    store.reject = {"b"}
    trouble = iter([SinkAway("full"), None])

    def keep(sink: str, rejected: Sequence[Rejected]) -> None:
        if (problem := next(trouble)) is not None:
            raise problem
        letters.extend((sink, letter.document["request_id"], letter.reason) for letter in rejected)

    serve(journal, "a", "b", "c")
    with following(Follower(store, Spool(tmp_path), keep, threading.Event())):
        assert store.complete.wait(10)
    assert store.requests == ["a", "c", "a", "c"]
    assert letters == [("store", "b", "not liked")]


def test_a_writers_folder_that_goes_away_is_no_trouble(journal: Journal, tmp_path: Path) -> None:
    serve(journal, "a")
    follower = Follower(Store(), Spool(tmp_path), no_letters, threading.Event())
    (writer,) = Spool(tmp_path).writers()
    writer.remove()
    assert not follower._follow(writer)
    assert follower._cursors == {}


def test_a_cursor_that_cannot_be_saved_is_kept_in_mind(
    journal: Journal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def failing(*_: object) -> None:
        raise OSError("no space left")

    monkeypatch.setattr(Cursor, "save", failing)
    store, stop = Store(), threading.Event()
    stop.set()
    serve(journal, "a")
    Follower(store, Spool(tmp_path), no_letters, stop).run()
    assert store.requests == ["a"]
    assert "no space left" in caplog.text
