import json
import os
import sys
from pathlib import Path
from types import ModuleType

import pytest

from clawgw.cli import main
from clawgw.config.snapshot import Snapshot

GOOD = """
[defaults]
provider = "openai"
[providers.openai]
api_keys = ["env:A", "env:B", "env:C"]
[providers.anthropic]
[routes.fast]
targets = ["openai/gpt-6-luna", "echo/echo"]
[websocket]
ping_s = 10
"""
BAD = """
[server]
workers = "many"
[providers.openai]
api_keys = ["sk-secret"]
[routes.fast]
hegde_after = 1
targets = ["echo/echo"]
"""
BAD_LINES = [
    "server.workers: must be a whole number, not a string",
    "providers.openai.api_keys[0]: must be env:NAME or file:PATH, never the key itself",
    "routes.fast.hegde_after: unknown key, did you mean hedge_after?",
]


@pytest.fixture(autouse=True)
def empty_world(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in list(os.environ):
        if name.startswith(("CLAWGW_", "LLM_")) or name.endswith(("_API_KEY", "_BASE_URL")):
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def good(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("A", "sk-secret-1")
    monkeypatch.setenv("B", "sk-secret-2")
    file = tmp_path / "good.toml"
    file.write_text(GOOD)
    return str(file)


@pytest.fixture
def bad(tmp_path: Path) -> str:
    file = tmp_path / "bad.toml"
    file.write_text(BAD)
    return str(file)


def test_a_good_file_is_reported(good: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", "--config", good]) == 0
    shown = capsys.readouterr()
    *lines, version = shown.out.splitlines()
    assert lines == [
        "providers",
        "  openai     ready at https://api.openai.com/v1, 2 keys",
        "  anthropic  no key: set ANTHROPIC_API_KEY",
        "  echo       ready",
        "routes",
        "  fast: openai/gpt-6-luna, echo/echo",
        "default provider: openai",
        "warnings",
        "  websocket: has no effect in this version",
        "  providers.openai.api_keys: C is not set; the other keys are used",
    ]
    assert version.startswith("config ")
    assert version.endswith(" is good")
    assert shown.err == ""
    assert "sk-secret" not in shown.out


def test_quota_policies_are_checked_and_listed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "gateway.toml").write_text('[policies]\nquota = ["mine:by_team", "mine:by_user"]')
    (tmp_path / "policies").mkdir()
    module = tmp_path / "policies" / "mine.py"
    module.write_text("def by_team(request, options): return []\ndef by_user(request, targets, options): return []\n")
    assert main(["check"]) == 2
    assert capsys.readouterr().err == (
        "policies.quota[1]: policies/mine.py: by_user must take two arguments: request, options\n"
    )
    module.write_text("def by_team(request, options): return []\nby_user = by_team\n")
    assert main(["check"]) == 0
    assert "quota policies: mine:by_team, mine:by_user" in capsys.readouterr().out.splitlines()
    assert main(["check", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["quota_policies"] == ["mine:by_team", "mine:by_user"]


def test_stores_of_the_log_are_checked(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("MONGODB_URL", "db.example:s3cret")
    monkeypatch.setenv("KAFKA_BROKERS", "broker.example:9092")
    monkeypatch.delitem(sys.modules, "clawgw.ledger.sinks.kafka", raising=False)
    monkeypatch.setitem(sys.modules, "confluent_kafka", None)
    assert main(["check"]) == 2
    assert capsys.readouterr().err.splitlines() == [
        "log.mongo.url: must be a URL of a MongoDB (mongodb://, mongodb+srv://), user and password percent-encoded",
        "log.kafka: needs confluent-kafka: install it with `pip install clawgw[kafka]`",
    ]


def test_nothing_at_all_is_good(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check"]) == 0
    assert capsys.readouterr().out.splitlines()[:3] == ["providers", "  echo  ready", "default provider: echo"]


def test_json_says_the_same(good: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", "--config", good, "--json"]) == 0
    shown = json.loads(capsys.readouterr().out)
    assert len(shown.pop("config")) == 12
    assert shown["providers"].pop() == {
        "name": "echo",
        "wire": "echo",
        "base_url": "",
        "keys": 0,
        "ready": True,
        "reason": None,
    }
    assert shown["providers"][1]["reason"] == "no key: set ANTHROPIC_API_KEY"
    assert shown["providers"][0]["keys"] == 2
    assert shown["routes"] == [{"name": "fast", "targets": ["openai/gpt-6-luna", "echo/echo"]}]
    assert (shown["ok"], shown["default_provider"], len(shown["warnings"])) == (True, "openai", 2)


def test_every_mistake_is_printed(bad: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", "--config", bad]) == 2
    shown = capsys.readouterr()
    assert shown.err.splitlines() == BAD_LINES
    assert shown.out == ""


def test_every_mistake_is_in_the_json(bad: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", "--config", bad, "--json"]) == 2
    shown = json.loads(capsys.readouterr().out)
    assert shown["ok"] is False
    assert [f"{mistake['path']}: {mistake['message']}" for mistake in shown["mistakes"]] == BAD_LINES


def test_a_missing_file_is_a_mistake(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", "--config", "none.toml"]) == 2
    assert main(["check", "--env-file", "none.env"]) == 2
    assert capsys.readouterr().err == "none.toml: there is no such file\nnone.env: there is no such file\n"


def test_an_env_file_is_read(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "keys.env").write_text("export OPENAI_API_KEY='sk-secret'\n")
    assert main(["check", "--env-file", "keys.env"]) == 0
    assert "  openai  ready at https://api.openai.com/v1\n" in capsys.readouterr().out


@pytest.mark.parametrize("as_json", [False, True])
def test_live_runs_after_the_report(
    good: str,
    as_json: bool,  # noqa: FBT001 - a test's row
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    seen: list[tuple[int, bool]] = []

    def run_live(snapshot: Snapshot, as_json: bool) -> int:  # noqa: FBT001 - the other side's signature
        seen.append((len(snapshot.providers), as_json))
        return 1

    live = ModuleType("clawgw.cli.live")
    vars(live)["run_live"] = run_live
    monkeypatch.setitem(sys.modules, "clawgw.cli.live", live)
    assert main(["check", "--config", good, "--live", *(["--json"] if as_json else [])]) == 1
    assert seen == [(3, as_json)]
    assert bool(capsys.readouterr().out) is not as_json


def test_the_projects_own_file_runs_as_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    file = Path(__file__).parents[2] / "gateway.toml"
    assert main(["check", "--config", str(file), "--json"]) == 0
    shown = json.loads(capsys.readouterr().out)
    assert shown["warnings"] == []
    assert shown["providers"][-1]["name"] == "echo"


def test_the_examples_in_the_projects_own_file_are_right(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REDIS_URL", "redis://cache.example")
    text = (Path(__file__).parents[2] / "gateway.toml").read_text().replace('sha256 = "…"', f'sha256 = "{"0" * 64}"')
    examples = [
        line.removeprefix("# ")
        for line in text.splitlines()
        if line.startswith(("# [", "[")) or " = " in line.partition("  #")[0]
    ]
    wanted = [line for line in examples if not line.startswith("tls_") and "file:" not in line]
    (tmp_path / "all.toml").write_text("\n".join(wanted))
    assert main(["check", "--config", "all.toml"]) == 0, capsys.readouterr().err
    assert "warnings" not in capsys.readouterr().out
