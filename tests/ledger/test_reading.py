import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from clawgw.ledger import reading, rollup
from clawgw.ledger.cubes import DAY_MS
from clawgw.ledger.question import Question, question
from clawgw.ledger.sinks.schema import open_database, transaction
from clawgw.ledger.sinks.sqlite import Database, SqliteSink, prune
from clawgw.ledger.usage import Answer
from tests.ledger.records import AT_MS, begun, document, ended
from tests.ledger.requests_table import row, write

ATTEMPT = {"target": "openai/gpt-6", "trigger": "primary", "outcome": "won", "cost_usd": None}
ALICES = row(
    "req_a",
    1_795_435_200_000,
    client_request_id="mine",
    key="alice",
    labels={"team": "search"},
    metadata={"job": "7"},
    stream=1,
    cost_usd=0.5,
    cost_pico=5 * 10**11,
    attempts=[ATTEMPT],
)


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """In a folder whose name a URI would read otherwise."""
    folder = tmp_path / "a?mode=rwc#%20"
    folder.mkdir()
    connection = open_database(folder / "clawgw.db")
    with transaction(connection):
        later = ALICES["at_ms"] + 1
        others = [row("req_b", later, client_request_id="mine", key="bob"), row("mine", 0, key="bob")]
        write(connection, [ALICES, *others, row("req_c", later + 1, client_request_id="mine", key="alice")])
    connection.close()
    return folder / "clawgw.db"


def test_a_record_is_shown_as_every_store_shows_it(log: Path) -> None:
    expected = {name: value for name, value in ALICES.items() if name not in ("at_ms", "cost_pico")}
    assert reading.record(log, "req_a", None) == expected | {"at": "2026-11-23T12:00:00.000Z", "stream": True}


def test_what_was_said_is_shown_where_it_was_to_be_kept(log: Path) -> None:
    bodies = {"bodies": "kept", "request_body": '{"a":1}', "response_body": None}
    sink = SqliteSink(Database(log))
    sink.deliver([document(ended("said")) | bodies, document(ended("silent"))])
    sink.close()
    said, silent = reading.record(log, "said", None), reading.record(log, "silent", None)
    assert said is not None
    assert silent is not None
    assert said == silent | bodies | {"request_id": "said"}
    assert "bodies" not in silent


@pytest.mark.parametrize(
    ("request_id", "key", "found"),
    [
        ("req_a", "alice", "req_a"),
        ("req_a", "bob", None),
        ("mine", None, "mine"),
        ("mine", "alice", "req_c"),
        ("mine", "carol", None),
        ("req_z", None, None),
        ("req_%", None, None),
        ("' OR 1=1 --", None, None),
    ],
)
def test_by_our_id_before_the_callers_and_the_newest_of_those(
    log: Path, request_id: str, key: str | None, found: str | None
) -> None:
    shown = reading.record(log, request_id, key)
    assert (shown and shown["request_id"]) == found


def test_both_ids_are_found_by_an_index(log: Path) -> None:
    with sqlite3.connect(log) as connection:
        for column in ("request_id", "client_request_id"):
            query = f"EXPLAIN QUERY PLAN SELECT * FROM requests WHERE {column} = ?"  # noqa: S608 - two names of columns
            plan = connection.execute(query, ["x"]).fetchall()
            assert "SEARCH" in plan[0][-1]
    connection.close()


def test_without_a_log_there_is_nothing(tmp_path: Path) -> None:
    path = tmp_path / "clawgw.db"
    assert reading.usage(path, Question(), 10) == Answer(Question())
    assert reading.record(path, "req_a", None) is None
    assert not path.exists()


def test_in_a_log_that_is_only_just_being_made_there_is_nothing(tmp_path: Path) -> None:
    path = tmp_path / "clawgw.db"
    path.touch()
    assert reading.record(path, "req_a", None) is None
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        assert reading.usage(path, Question(), 10) == Answer(Question())
        assert reading.record(path, "req_a", None) is None


def test_nothing_can_be_written(log: Path) -> None:
    with pytest.raises(reading.Unreadable, match="readonly"), reading._reading(log) as connection:
        connection.execute("DELETE FROM requests")


def test_what_is_no_database_is_said(tmp_path: Path) -> None:
    path = tmp_path / "clawgw.db"
    path.write_bytes(b"not a database" * 100)
    with pytest.raises(reading.Unreadable, match=r"clawgw\.db: file is not a database"):
        reading.usage(path, Question(), 10)
    with pytest.raises(reading.Unreadable, match=r"disk I/O error|unable to open"):
        reading.usage(tmp_path, Question(), 10)


def test_a_question_that_takes_too_long_is_given_up(log: Path) -> None:
    connection = open_database(log)
    with transaction(connection):
        connection.execute(
            "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20000) INSERT INTO usage_changes"
            " (sign, at_ms, user, model) SELECT 1, i, i, i FROM n"
        )
        connection.execute("INSERT INTO usage_changes SELECT * FROM usage_changes")
    connection.close()
    with pytest.raises(reading.TooSlow):
        reading.usage(log, question(["user", "model"], {"from": "1970-01-01", "to": "1971-01-01"}), 0.0)


def test_an_answer_is_of_one_moment(log: Path) -> None:
    writer = open_database(log)
    with reading._reading(log) as connection:
        before = reading._groups(connection, Question())
        with transaction(writer):
            write(writer, [row("req_new", 1)])
            rollup.fold(writer, 0)
        assert reading._groups(connection, Question()) == before
    writer.close()
    assert reading.usage(log, Question(), 10).total.named["requests"] == 5


def test_what_the_sink_writes_twice_or_deletes_is_summed_as_it_is_in_the_end(tmp_path: Path) -> None:
    path = tmp_path / "clawgw.db"
    sink = SqliteSink(Database(path))
    several = [f"req_{number}" for number in range(rollup.WORTH_FOLDING)]
    sink.deliver([document(begun(each)) for each in several])
    sink.deliver([document(ended(each, key="alice", cost_pico=10**9)) for each in several[1:]])
    sink.deliver([document(ended("old", AT_MS - DAY_MS))])
    prune(sink.database, AT_MS)
    sink.close()
    groups = reading.usage(path, question(["key"], {}), 10).groups
    assert [(each.group, each.named["requests"], each.named["cost_pico"]) for each in groups] == [
        (("alice",), rollup.WORTH_FOLDING - 1, (rollup.WORTH_FOLDING - 1) * 10**9),
        ((None,), 1, 0),
    ]


def test_a_group_is_found_again_whatever_its_name_holds(tmp_path: Path) -> None:
    path, users = tmp_path / "clawgw.db", ["a\0b", "a", "\0", 'quo"ted', "é\U0001f600"]
    sink = SqliteSink(Database(path))
    sink.deliver([document(ended(f"req_{place}", user=user)) for place, user in enumerate(users)])
    sink.deliver([document(ended(f"req_more{place}", user=user)) for place, user in enumerate(users)])
    sink.deliver([document(ended("req_x", user="x"))])
    sink.close()
    answer = reading.usage(path, question(["user"], {"limit": "5"}), 10)
    assert {each.group for each in answer.groups} == {(user,) for user in users}
    assert {each.named["requests"] for each in answer.groups} == {2}
    assert answer.more == 1
