import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from clawgw.ledger.document import BODIES
from clawgw.ledger.record import DROPPED, AttemptRecord
from clawgw.ledger.sinks.sink import Rejected, SinkAway
from clawgw.ledger.sinks.sqlite import Database, SqliteSink, keep_dead_letters, prune
from clawgw.policy import Target
from tests.ledger.records import AT_MS, begun, document, ended, outcomes, rows


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "clawgw.db"


@pytest.fixture
def sink(path: Path) -> Iterator[SqliteSink]:
    sink = SqliteSink(Database(path))
    yield sink
    sink.close()


def test_a_column_for_each_field(sink: SqliteSink, path: Path) -> None:
    attempt = AttemptRecord(Target("openai", "gpt-6"), "primary", 0.0, 5.0, "won", cost_pico=7)
    record = ended("a", labels={"tier": "gold"}, metadata={"job": "é"}, stream=True, cost_pico=7, attempts=(attempt,))
    assert sink.deliver([document(record)]) == []
    (row,) = rows(path, "SELECT at, at_ms, labels, metadata, stream, status, cost_usd, cost_pico, key FROM requests")
    assert row == ("2026-11-23T13:15:36.042Z", AT_MS, '{"tier":"gold"}', '{"job":"é"}', 1, 200, 7e-12, 7, None)
    query = "SELECT json_extract(attempts, '$[0].target'), json_extract(attempts, '$[0].cost_pico') FROM requests"
    assert rows(path, query) == [("openai/gpt-6", 7)]


def test_every_field_has_its_column(sink: SqliteSink, path: Path) -> None:
    record = document(ended("a"))
    sink.deliver([record])
    with closing(sqlite3.connect(path)) as connection:
        columns = {row[1] for row in connection.execute("PRAGMA table_info(requests)")}
    assert columns == {*record, "number", "at_ms", *BODIES}


def test_what_was_said_is_kept_with_its_record_and_goes_with_it(sink: SqliteSink, path: Path) -> None:
    bodies = {"bodies": "kept", "request_body": '{"a":"é"}', "response_body": None}
    sink.deliver([document(begun("a")), document(ended("a")) | bodies, document(ended("b", bodies=DROPPED))])
    query = "SELECT request_id, bodies, request_body, response_body FROM requests ORDER BY request_id"
    assert rows(path, query) == [("a", "kept", '{"a":"é"}', None), ("b", "dropped", None, None)]
    prune(sink.database, AT_MS + 1)
    assert rows(path, query) == []


def test_a_record_that_comes_again_is_one_and_the_last_counts(sink: SqliteSink, path: Path) -> None:
    sink.deliver([document(begun("a")), document(ended("b"))])
    sink.deliver([document(ended("a")), document(ended("a", cost_pico=3))])
    assert outcomes(path) == {"a": "ok", "b": "ok"}
    assert rows(path, "SELECT cost_pico FROM requests WHERE request_id = 'a'") == [(3,)]


def test_what_the_table_cannot_hold_is_rejected_alone(sink: SqliteSink, path: Path) -> None:
    too_large = {**document(ended("large")), "prompt_tokens": 2**63}
    nothing = {**document(ended("empty")), "endpoint": None}
    strange = {**document(ended("strange")), "user": object()}
    partial = {"request_id": "partial"}
    rejected = sink.deliver([document(ended("a")), too_large, nothing, strange, partial, document(ended("b"))])
    assert [letter.document["request_id"] for letter in rejected] == ["large", "empty", "strange", "partial"]
    assert outcomes(path) == {"a": "ok", "b": "ok"}


def test_a_database_that_cannot_be_opened_is_away_until_it_can(tmp_path: Path) -> None:
    path = tmp_path / "missing" / "clawgw.db"
    sink = SqliteSink(Database(path))
    with pytest.raises(SinkAway, match="unable to open"):
        sink.deliver([document(ended("a"))])
    path.parent.mkdir()
    assert sink.deliver([document(ended("a"))]) == []
    assert outcomes(path) == {"a": "ok"}
    sink.close()


def test_a_database_of_a_later_version_is_away(path: Path, sink: SqliteSink) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA user_version = 99")
    with pytest.raises(SinkAway, match="later version"):
        sink.deliver([document(ended("a"))])


def test_dead_letters_are_kept_each_once(path: Path) -> None:
    database = Database(path)
    letter = Rejected({"request_id": "a", "user": "u"}, "too large")
    keep_dead_letters(database, "mongo", [letter], AT_MS)
    keep_dead_letters(database, "mongo", [letter], AT_MS)
    database.close()
    kept = rows(path, "SELECT sink, request_id, reason, document, at FROM dead_letters")
    assert kept == [("mongo", "a", "too large", '{"request_id":"a","user":"u"}', "2026-11-23T13:15:36.042Z")]


def test_what_is_too_old_goes_in_small_batches(path: Path, sink: SqliteSink) -> None:
    sink.deliver([document(ended(f"old{number}", at_ms=number)) for number in range(700)])
    sink.deliver([document(ended("new", at_ms=700))])
    assert prune(sink.database, 700)
    assert len(outcomes(path)) == 201
    assert not prune(sink.database, 700)
    assert outcomes(path) == {"new": "ok"}
