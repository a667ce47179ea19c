import sqlite3
from contextlib import closing
from itertools import chain
from pathlib import Path

import pytest

from clawgw.ledger import reading, rollup
from clawgw.ledger.question import question
from clawgw.ledger.sinks import schema
from clawgw.ledger.sinks.schema import MIGRATIONS, NewerDatabase, open_database, transaction
from tests.ledger.requests_table import row, write


def names(connection: sqlite3.Connection) -> set[str]:
    return {name for (name,) in connection.execute("SELECT name FROM sqlite_master")}


def test_a_new_database_has_all_tables_and_outlasts_a_power_cut(tmp_path: Path) -> None:
    with closing(open_database(tmp_path / "a.db")) as connection:
        assert {"requests", "dead_letters"} <= names(connection)
        assert connection.execute("PRAGMA user_version").fetchone() == (len(MIGRATIONS),)
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        assert connection.execute("PRAGMA synchronous").fetchone() == (2,)  # FULL


def test_an_older_database_gets_what_it_lacks_and_keeps_what_it_has(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(schema, "MIGRATIONS", (("CREATE TABLE a (x)",),))
    with closing(open_database(tmp_path / "a.db")) as connection:
        connection.execute("INSERT INTO a VALUES (1)")
    monkeypatch.setattr(schema, "MIGRATIONS", (("CREATE TABLE a (x)",), ("ALTER TABLE a ADD y", "UPDATE a SET y = 2")))
    with closing(open_database(tmp_path / "a.db")) as connection:
        assert connection.execute("SELECT x, y FROM a").fetchall() == [(1, 2)]


OLDER_SUMS = """
    CREATE TABLE usage_changes (sign INTEGER NOT NULL, at_ms);
    CREATE TABLE usage_days (day INTEGER NOT NULL, requests INTEGER NOT NULL, PRIMARY KEY (day)) WITHOUT ROWID;
    CREATE TABLE usage_user_days (day INTEGER NOT NULL);
    CREATE TABLE usage_user_model_days (day INTEGER NOT NULL);
    INSERT INTO usage_days VALUES (0, 99);
    CREATE TRIGGER usage_added AFTER INSERT ON requests BEGIN INSERT INTO usage_changes VALUES (1, NEW.at_ms); END;
    CREATE TRIGGER usage_removed AFTER DELETE ON requests BEGIN INSERT INTO usage_changes VALUES (-1, OLD.at_ms); END;
"""
OLDER_ROWS = [
    row(f"req_{number:03}", 1 + number, user="u1", model="m", client_request_id=f"c{number}") for number in range(300)
]


def older_database(path: Path, version: int) -> None:
    """With requests, sums and triggers as that version had them; the first request has gone."""
    with closing(sqlite3.connect(path)) as connection:
        for statement in chain.from_iterable(MIGRATIONS[:version]):
            connection.execute(statement)
        connection.executescript(OLDER_SUMS)
        write(connection, reversed(OLDER_ROWS))
        connection.execute("DELETE FROM requests WHERE request_id = 'req_000'")
        connection.execute(f"PRAGMA user_version = {version}")
        connection.commit()


@pytest.mark.parametrize("version", [2, 5])
def test_sums_that_an_older_version_has_made_are_made_anew(tmp_path: Path, version: int) -> None:
    path = tmp_path / "clawgw.db"
    older_database(path, version)
    with closing(open_database(path)) as connection:
        for folding in (False, True):
            if folding:
                rollup.fold(connection, 0)
            (group,) = reading.usage(path, question(["user", "model"], {}), 10).groups
            assert (group.group, group.named["requests"]) == (("u1", "m"), 299)
        assert connection.execute("SELECT sum(requests) FROM usage_user_model_quarters").fetchall() == [(299,)]
        assert connection.execute("SELECT * FROM usage_days").fetchall() == []


@pytest.mark.parametrize("version", [2, 5])
def test_requests_of_an_older_version_are_kept_as_they_are_in_their_order(tmp_path: Path, version: int) -> None:
    path = tmp_path / "clawgw.db"
    older_database(path, version)
    with closing(sqlite3.connect(path)) as connection:
        connection.row_factory = sqlite3.Row
        before = [dict(each) for each in connection.execute("SELECT * FROM requests ORDER BY rowid")]
    with closing(open_database(path)) as connection:
        connection.row_factory = sqlite3.Row
        after = [dict(each) for each in connection.execute("SELECT * FROM requests ORDER BY number")]
        assert [each.pop("number") for each in after] == [*range(1, 300)]
        nothing = {} if "bodies" in before[0] else dict.fromkeys(("bodies", "request_body", "response_body"))
        assert after == [each | nothing for each in before]
        write(connection, [{**OLDER_ROWS[1], "user": "u2"}])
        assert connection.execute("SELECT count(*) FROM requests").fetchone()[0] == 299
        connection.execute("DELETE FROM requests")
        assert connection.execute("SELECT count(*) FROM usage_changes").fetchone()[0] == 0
    assert [each["request_id"] for each in before] == [f"req_{number:03}" for number in range(299, 0, -1)]


def test_a_migration_that_fails_has_not_happened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(schema, "MIGRATIONS", (("CREATE TABLE a (x)", "no SQL"),))
    with pytest.raises(sqlite3.OperationalError):
        open_database(tmp_path / "a.db")
    with closing(sqlite3.connect(tmp_path / "a.db")) as connection:
        assert names(connection) == set()
        assert connection.execute("PRAGMA user_version").fetchone() == (0,)


def test_a_later_versions_database_is_left_alone(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "a.db")) as connection:
        connection.execute("PRAGMA user_version = 99")
    with pytest.raises(NewerDatabase, match="schema 99"):
        open_database(tmp_path / "a.db")


def test_a_transaction_is_all_or_nothing(tmp_path: Path) -> None:
    with closing(open_database(tmp_path / "a.db")) as connection:
        connection.execute("CREATE TABLE a (x)")
        with pytest.raises(KeyError), transaction(connection):  # noqa: PT012 - what is written before is the point
            connection.execute("INSERT INTO a VALUES (1)")
            raise KeyError
        assert connection.execute("SELECT * FROM a").fetchall() == []


def test_nobody_else_may_read_who_has_asked_what(tmp_path: Path) -> None:
    path = tmp_path / "clawgw.db"
    with closing(open_database(path)):
        modes = {file.name: file.stat().st_mode & 0o777 for file in tmp_path.iterdir()}
        assert modes == dict.fromkeys(("clawgw.db", "clawgw.db-wal", "clawgw.db-shm"), 0o600)
