import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from clawgw.cli import main

CONFIG = """
[defaults]
provider = "openai"
fallback_providers = ["mistral"]
[[keys]]
name = "alice"
sha256 = "0000000000000000000000000000000000000000000000000000000000000000"
models = ["office", "fast"]
labels = { team = "search", site = "here" }
[[keys]]
name = "bob"
sha256 = "1111111111111111111111111111111111111111111111111111111111111111"
models = ["gpt-*"]
[routes.office]
targets = ["openai/my-own", "groq/another", "mistral/a-third"]
policy = "told:route"
options = { reason = "it is so" }
[routes.fast]
targets = ["openai/my-own", "groq/another", "echo/echo"]
strategy = "race"
max_attempts = 2
[prices."groq/another"]
input = 0.15
output = 0.6
"""
QUOTAS = """
[policies]
quota = ["quotas:team", "quotas:user", "quotas:nobody"]
options = { usd = 2.5 }
"""
QUOTA_POLICIES = """
from clawgw.policy import Charge

def team(request, options):
    sizes = Charge(f"team:{request.labels['team']}", tokens_per_minute=500000, budget_usd=options["usd"], per="month")
    return [sizes, Charge("images", concurrent=4, requests=2), Charge("free")]

def user(request, options):
    return [Charge("user:\\n" + request.user, requests_per_minute=20)]

def nobody(request, options):
    return []
"""
POLICY = """
import math
from clawgw.policy import After, OnFailure, Plan, PlannedAttempt

def route(request, targets, options):
    if request.user == "crash":
        raise ValueError("secret")
    told = f"{options['reason']}: {sorted(request.labels.items())} {sorted(request.metadata.items())}"
    told += f" {sorted(request.headers.items())} {request.now:g} {request.random:g}"
    return Plan(
        [
            PlannedAttempt(targets[2].target),
            PlannedAttempt(targets[1].target, After(1.5)),
            PlannedAttempt(targets[1].target, OnFailure(math.inf)),
        ],
        told,
    )
"""


@pytest.fixture(autouse=True)
def world(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in list(os.environ):
        if name.startswith(("CLAWGW_", "LLM_")) or name.endswith(("_API_KEY", "_BASE_URL")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("OPENAI_API_KEY", "sk-secret-1")
    monkeypatch.setenv("GROQ_API_KEY", "sk-secret-2")
    (tmp_path / "gateway.toml").write_text(CONFIG)
    (tmp_path / "policies").mkdir()
    (tmp_path / "policies" / "told.py").write_text(POLICY)
    monkeypatch.chdir(tmp_path)


def printed(capsys: pytest.CaptureFixture[str], *arguments: str, code: int = 0) -> list[str]:
    assert main(["explain", *arguments]) == code
    shown = capsys.readouterr()
    assert (shown.out == "") is bool(code)
    return (shown.err if code else shown.out).splitlines()


def parsed(capsys: pytest.CaptureFixture[str], *arguments: str, code: int = 0) -> Any:
    assert main(["explain", *arguments, "--json"]) == code
    shown = capsys.readouterr()
    assert shown.err == ""
    return json.loads(shown.out)


REQUEST = (
    "chat.completions, stream true, user u, key alice, labels team=search site=there, metadata a=b=c,"
    " headers x-tier=gold"
)
SKIPPED = "not known  skipped: no key: set MISTRAL_API_KEY"


def test_a_policy_is_run_and_its_plan_told(capsys: pytest.CaptureFixture[str]) -> None:
    facts = ["--user", "u", "--label", "site=there", "--metadata", "a=b=c", "--header", "X-Tier=gold"]
    when = ["--at", "1970-01-01T00:01", "--random", "0.25"]
    assert printed(capsys, "--model", "office", "--key", "alice", "--stream", *facts, *when) == [
        "model    office: the route office",
        "decides  the policy told:route",
        "reason   it is so: [('site', 'there'), ('team', 'search')] [('a', 'b=c')] [('x-tier', 'gold')] 60 0.25",
        "bounds   at most 3 attempts, all together in 600 s",
        f"request  {REQUEST}, random 0.25, now 1970-01-01T00:01:00Z",
        "plan",
        "     target           starts                      as                 USD per million tokens  context",
        f"  1  mistral/a-third  at once                     primary            not known               {SKIPPED}",
        "  2  groq/another     after 1.5 s, or on failure  hedge or failover  0.15 in, 0.6 out        not known  ready",
        "  3  groq/another     on failure                  failover           0.15 in, 0.6 out        not known  ready",
        "left out",
        "  openai/my-own  the policy leaves it out",
        "not known here",
        "  health: breakers, cool-downs, failures, latencies (a quantile of hedge_after counts as 2 s)",
        "  how much is left of limits and budgets",
    ]


def test_a_strategy_without_a_key(capsys: pytest.CaptureFixture[str]) -> None:
    lines = printed(capsys, "--model", "fast", "--at", "2026-11-23T09:30+01:00")
    assert lines[:5] == [
        "model    fast: the route fast",
        "decides  the strategy race",
        "reason   2 at once",
        "bounds   at most 2 attempts, all together in 600 s",
        "request  chat.completions, random 0.5, now 2026-11-23T08:30:00Z",
    ]
    assert [line.split()[1:5] for line in lines[7:9]] == [
        ["openai/my-own", "at", "once", "primary"],
        ["groq/another", "at", "once", "race"],
    ]
    assert lines[9].endswith("spare: max_attempts is reached unless one before it is skipped")
    assert lines[-1] == "  who asks: clients need a key, and --key names none, so no labels and no allowed models count"


def test_a_policy_that_fails(capsys: pytest.CaptureFixture[str]) -> None:
    lines = printed(capsys, "--model", "office", "--user", "crash")
    assert lines[1] == (
        "decides  the policy told:route, which failed (raised: policies/told.py:7: ValueError);"
        " the configured order is used"
    )
    assert "  1  openai/my-own" in lines[7]
    assert "on failure, or 4 s of silence  failover or silence" in lines[8]


@pytest.mark.parametrize(
    ("model", "line"),
    [
        ("groq/x", "groq/x: provider/model, as groq is configured"),
        ("gpt-6-luna", "gpt-6-luna: a model of openai, as the catalogue has it"),
        ("unheard-of", "unheard-of: a name that nothing else claims, for the default provider openai"),
    ],
)
def test_how_a_name_is_claimed(model: str, line: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert printed(capsys, "--model", model)[0] == f"model    {line}"


def test_fallbacks_follow(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("MISTRAL_API_KEY", "sk-secret-3")
    lines = printed(capsys, "--model", "unheard-of")
    assert lines[0].endswith("for the default provider openai; fallback_providers follow")


def test_the_same_for_programs(capsys: pytest.CaptureFixture[str]) -> None:
    numbers = ["--tokens", "1000", "--max-tokens", "2000", "--tools", "2", "--images", "1"]
    told = parsed(capsys, "--model", "office", "--key", "alice", "--at", "1970-01-01", *numbers)
    assert len(told.pop("config")) == 12
    assert told.pop("reason").startswith("it is so")
    assert len(told.pop("not_known")) == 2
    assert told.pop("facts") == {
        "model": "office",
        "endpoint": "chat.completions",
        "stream": False,
        "user": None,
        "key": "alice",
        "labels": {"team": "search", "site": "here"},
        "metadata": {},
        "headers": {},
        "tools": 2,
        "images": 1,
        "estimated_tokens": 1000,
        "max_tokens": 2000,
        "now": 0.0,
        "random": 0.5,
    }
    second = {
        "target": "groq/another",
        "triggers": ["hedge", "failover"],
        "after_s": 1.5,
        "after_silence_s": None,
        "ready": True,
        "not_ready": None,
        "skipped": None,
        "is_spare": False,
        "input_price": 0.15,
        "output_price": 0.6,
        "cost_usd": 0.00135,
        "context_window": None,
    }
    first, *others = told.pop("attempts")
    no_key = "no key: set MISTRAL_API_KEY"
    assert (first["target"], first["ready"]) == ("mistral/a-third", False)
    assert (first["not_ready"], first["skipped"]) == (no_key, no_key)
    assert others == [second, {**second, "triggers": ["failover"], "after_s": None}]
    assert told == {
        "ok": True,
        "model": "office",
        "claim": "route",
        "route": "office",
        "has_fallbacks": False,
        "strategy": None,
        "policy": "told:route",
        "policy_failure": None,
        "max_attempts": 3,
        "deadline_s": 600.0,
        "left_out": [{"target": "openai/my-own", "why": "the policy leaves it out"}],
        "quotas": [],
    }


def test_a_failure_for_programs(capsys: pytest.CaptureFixture[str]) -> None:
    told = parsed(capsys, "--model", "office", "--user", "crash")
    assert told["policy_failure"] == {"kind": "raised", "text": "policies/told.py:7: ValueError"}


@pytest.fixture
def quotas() -> None:
    Path("gateway.toml").write_text(CONFIG + QUOTAS)
    Path("policies/quotas.py").write_text(QUOTA_POLICIES)


@pytest.mark.usefixtures("quotas")
def test_what_is_charged(capsys: pytest.CaptureFixture[str]) -> None:
    lines = printed(capsys, "--model", "fast", "--key", "alice", "--user", "ann")
    start = lines.index("charged to")
    assert lines[start : start + 7] == [
        "charged to",
        "  team:search  500000 tokens per minute, 2.5 USD per month  by quotas:team",
        "  images       4 requests at once, as 2 requests            by quotas:team",
        "  free         without a limit                              by quotas:team",
        "  user: ann    20 requests per minute                       by quotas:user",
        "  nothing                                                   by quotas:nobody",
        "not known here",
    ]


@pytest.mark.usefixtures("quotas")
def test_what_is_charged_for_programs(capsys: pytest.CaptureFixture[str]) -> None:
    team, user, nobody = parsed(capsys, "--model", "fast", "--key", "alice", "--user", "ann")["quotas"]
    assert (team["policy"], team["failure"]) == ("quotas:team", None)
    assert team["charges"][0] == {
        "bucket": "team:search",
        "requests_per_minute": None,
        "tokens_per_minute": 500000,
        "concurrent": None,
        "budget_usd": 2.5,
        "per": "month",
        "requests": 1,
    }
    assert [(charge["bucket"], charge["requests"]) for charge in team["charges"][1:]] == [("images", 2), ("free", 1)]
    assert [charge["bucket"] for charge in user["charges"]] == ["user:\nann"]
    assert nobody == {"policy": "quotas:nobody", "charges": [], "failure": None}


@pytest.mark.usefixtures("quotas")
def test_a_quota_that_fails(capsys: pytest.CaptureFixture[str]) -> None:
    lines = printed(capsys, "--model", "fast", "--user", "ann")
    assert "  nothing    it failed (raised: policies/quotas.py:5: KeyError)  by quotas:team" in lines
    team, *_ = parsed(capsys, "--model", "fast")["quotas"]
    assert team["failure"] == {"kind": "raised", "text": "policies/quotas.py:5: KeyError"}


def test_an_unknown_model_is_what_a_client_would_be_told(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (Path("gateway.toml")).write_text("")
    (line,) = printed(capsys, "--model", "claude-nine", code=1)
    assert line.startswith("The model `claude-nine` is not known here.")
    assert parsed(capsys, "--model", "claude-nine", code=1) == {
        "ok": False,
        "status": 404,
        "code": "model_not_found",
        "message": line,
    }


def test_a_key_that_may_not(capsys: pytest.CaptureFixture[str]) -> None:
    assert printed(capsys, "--model", "office", "--key", "bob", code=1) == [
        "this key may not use 'office': GET /v1/models lists what it may"
    ]


def test_a_key_that_is_not_there(capsys: pytest.CaptureFixture[str]) -> None:
    line = "--key: no key is named alicia, did you mean alice?"
    assert printed(capsys, "--model", "office", "--key", "alicia", code=2) == [line]
    assert parsed(capsys, "--model", "office", "--key", "alicia", code=2)["mistakes"] == [
        {"path": "--key", "message": line.removeprefix("--key: ")}
    ]


def test_every_mistake_of_the_configuration(capsys: pytest.CaptureFixture[str]) -> None:
    Path("gateway.toml").write_text('[server]\nworkers = 0\n[routes.r]\ntargets = ["opnai/x"]\n')
    assert printed(capsys, "--model", "r", code=2) == [
        "server.workers: must be at least 1",
        "routes.r.targets[0]: no provider is named opnai, did you mean openai?",
    ]


def test_a_policy_that_cannot_be_loaded(capsys: pytest.CaptureFixture[str]) -> None:
    Path("policies/told.py").write_text("def rout(): ...")
    assert printed(capsys, "--model", "fast", code=2) == [
        "routes.office.policy: policies/told.py: route is not there",
    ]


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["--model", "x", "--random", "1"],
        ["--model", "x", "--random", "nan"],
        ["--model", "x", "--random", "often"],
        ["--model", "x", "--at", "noon"],
        ["--model", "x", "--tokens", "-1"],
        ["--model", "x", "--metadata", "name"],
        ["--model", "x", "--header", "X-Api-Key=k"],
        ["--model", "x", "--header", "accept=x"],
        ["--model", "x", "--endpoint", "images"],
    ],
)
def test_wrong_usage(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["explain", *arguments])
    assert caught.value.code == 2
    assert capsys.readouterr().err.startswith("usage: clawgw explain")


def test_it_does_without_the_network() -> None:
    code = "import sys, clawgw.cli.explain; assert not {'trio', 'httpx', 'h11', 'quart', 'ssl'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True, cwd=Path(__file__).parents[2])  # noqa: S603 - our own code
