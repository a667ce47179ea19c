import csv
import io
import json
import time
from pathlib import Path
from typing import Any

import pytest

from clawgw.cli import main
from clawgw.cli import usage as command
from clawgw.cli.usage_table import lines
from clawgw.ledger.reading import TooSlow
from clawgw.ledger.sinks.schema import open_database, transaction
from tests.ledger.requests_table import row, write

NOON = 1_795_435_200_000
"""2026-11-23T12:00:00Z"""
USD = 10**12


@pytest.fixture
def log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("CLAWGW_CONFIG", raising=False)
    monkeypatch.setenv("COLUMNS", "100")
    (tmp_path / "gateway.toml").write_text('[log]\npath = "logs/usage.db"\n')
    (tmp_path / "logs").mkdir()
    path = tmp_path / "logs" / "usage.db"
    connection = open_database(path)
    with transaction(connection):
        write(
            connection,
            [
                row("a", NOON, key="alice", model="big", prompt_tokens=1500, cost_pico=3 * USD, duration_ms=2000.0),
                row("b", NOON, key="alice", model="small", prompt_tokens=5, completion_tokens=7, cost_pico=USD),
                row("c", NOON - 86_400_000, key="bob", model=None, provider=None, outcome="error"),
            ],
        )
    connection.close()
    return path


def told(capsys: pytest.CaptureFixture[str], *arguments: str) -> list[str]:
    assert main(["usage", *arguments]) == 0
    return capsys.readouterr().out.splitlines()


def test_a_table_with_bars(log: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert told(capsys) == [
        "model  requests  errors  prompt  completion   USD  p50 ms  p95 ms  share of USD",
        "big           1       0   1,500           0  3.00   1,924   1,924  ##############################",
        "small         1       0       5           7  1.00       -       -  ##########",
        "-             1       1       0           0     -       -       -",
        "total         3       1   1,505           7  4.00   1,924   1,924",
    ]


def test_bars_are_as_long_as_there_is_room_and_else_left_out(
    log: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "76")
    assert max(map(len, told(capsys))) == 76
    monkeypatch.setenv("COLUMNS", "60")
    assert not any("#" in line for line in told(capsys))


def test_several_groupings_spans_and_keys(log: Path, capsys: pytest.CaptureFixture[str]) -> None:
    by_day = told(capsys, "--by", "day,key", "--to", "2026-11-23")
    assert [line.split()[:3] for line in by_day[1:]] == [["2026-11-22", "bob", "1"], ["total", "1", "1"]]
    assert [line.split()[0] for line in told(capsys, "--by", "key", "--key", "alice")[1:]] == ["alice", "total"]
    assert told(capsys, "--limit", "1")[-1] == "2 more groups are in the total only"


def test_where_nothing_has_a_cost_bars_show_requests(log: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shown = told(capsys, "--by", "key", "--key", "bob")
    assert "share of requests" in shown[0]
    assert shown[1].endswith("#" * 30)


def test_the_last_days(log: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time, "time", lambda: NOON / 1000 + 3600.5)
    assert json.loads(told(capsys, "--last", "2h", "--json")[0])["total"]["requests"] == 2
    assert json.loads(told(capsys, "--last", "2d", "--json")[0])["total"]["requests"] == 3


def test_json_is_that_of_the_page(log: Path, capsys: pytest.CaptureFixture[str]) -> None:
    answer = json.loads(told(capsys, "--by", "key", "--json")[0])
    assert answer["group_by"] == ["key"]
    assert [(each["key"], each["cost_usd"]) for each in answer["data"]] == [("alice", 4.0), ("bob", None)]


def test_csv(log: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows = list(csv.DictReader(io.StringIO("\n".join(told(capsys, "--by", "model", "--csv")))))
    assert [(each["model"], each["requests"], each["cost_usd"]) for each in rows] == [
        ("big", "1", "3.0"),
        ("small", "1", "1.0"),
        ("", "1", ""),
    ]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--by", "modle"], "--by: 'modle' is none of"),
        (["--from", "soon"], "--from: 'soon' is no time"),
        (["--limit", "0"], "--limit: '0' is no whole number"),
        (["--last", "7"], "'7': 30m, 12h, 7d or 4w"),
        (["--json", "--csv"], "not allowed with"),
        (["--last", "7d", "--from", "2026-01-01"], "not allowed with"),
    ],
)
def test_bad_usage_is_said(log: Path, arguments: list[str], says: str, capsys: pytest.CaptureFixture[str]) -> None:
    try:
        code: Any = main(["usage", *arguments])
    except SystemExit as left:
        code = left.code
    assert code == 2
    assert says in capsys.readouterr().err


def test_without_a_log_there_is_nothing(log: Path, capsys: pytest.CaptureFixture[str]) -> None:
    log.unlink()
    assert main(["usage"]) == 0
    said = capsys.readouterr()
    assert [line.split()[0] for line in said.out.splitlines()] == ["model", "total"]
    assert "there is no log yet at" in said.err


def test_what_cannot_be_read_is_said(
    log: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    log.write_bytes(b"garbage" * 1000)
    assert main(["usage"]) == 1
    assert "file is not a database" in capsys.readouterr().err

    def slow(*_: object) -> None:
        raise TooSlow

    monkeypatch.setattr(command, "usage", slow)
    assert main(["usage"]) == 1
    assert "more than 60 s" in capsys.readouterr().err


FIGURES = {
    "requests": 1,
    "errors": 0,
    "prompt_tokens": 0,
    "completion_tokens": 0,
    "cost_usd": 0.0004,
    "p50_duration_ms": 1.0,
    "p95_duration_ms": 1.0,
}


def test_all_as_one_has_no_bars_and_no_total() -> None:
    shown = list(lines({"group_by": [], "data": [FIGURES], "more": 0, "total": FIGURES}, 200, fancy=True))
    assert [line.split()[0] for line in shown] == ["requests", "1"]


def answer(*groups: dict[str, Any]) -> dict[str, Any]:
    return {"group_by": ["user"], "data": [FIGURES | group for group in groups], "more": 0, "total": FIGURES}


def test_names_that_clients_chose_cannot_steer_a_terminal() -> None:
    shown = "\n".join(lines(answer({"user": "\x1b[2Jx\r\n\u202ey"}, {"user": "x" * 99}), 200, fancy=False))
    assert not {"\x1b", "\r", "\u202e"} & set(shown)
    assert "�[2Jx��" in shown
    assert f"{'x' * 39}…" in shown


def test_bars_of_blocks_are_exact_to_an_eighth() -> None:
    shown = list(lines(answer({"user": "a", "cost_usd": 8.0}, {"user": "b", "cost_usd": 1.1}), 200, fancy=True))
    assert shown[1].endswith("█" * 30)
    assert shown[2].endswith("1.10       1       1  ████▏")


def test_small_costs_keep_their_digits() -> None:
    assert "0.000400" in list(lines(answer({"user": "a"}), 200, fancy=False))[1]
