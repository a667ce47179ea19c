import json
from collections.abc import Sequence
from typing import Any

import attrs
import pytest
import trio

from clawgw.cli.live import Trial, run_live, subjects, try_all
from clawgw.config.snapshot import ReadyProvider, ReadyRoute, Secret, Snapshot
from clawgw.policy import Target
from tests.fake_upstream import Received, Step, json_answer, start_fake_upstream
from tests.web.serving import provider, snapshot

ANSWER = {
    "id": "x",
    "object": "chat.completion",
    "created": 1,
    "model": "m",
    "choices": [{"index": 0, "message": {"role": "assistant", "content": "OK"}, "finish_reason": "stop"}],
    "usage": {"prompt_tokens": 3, "completion_tokens": 1, "total_tokens": 4},
}
REFUSAL = {"error": {"message": "Incorrect API key provided: sk-b*d", "type": "invalid_request_error", "code": None}}


def respond(received: Received) -> Sequence[Step]:
    if received.headers["authorization"] == "Bearer sk-bad":
        return json_answer(401, REFUSAL)
    return json_answer(200, ANSWER)


def at(base_url: str, name: str, *keys: str, **changes: Any) -> ReadyProvider:
    keyed = tuple(map(Secret, keys))
    return attrs.evolve(provider(name), base_url=base_url, keys=keyed, allow_private_network=True, **changes)


def without_ms(trials: Sequence[Trial]) -> list[tuple[str, int, str, str | None]]:
    return [(trial.provider, trial.key, trial.model, trial.error) for trial in trials]


async def test_every_key_is_tried_for_itself(nursery: trio.Nursery) -> None:
    fake = await start_fake_upstream(nursery, respond)
    one = at(fake.base_url, "one", "sk-good", "sk-bad")
    other = at(fake.base_url, "other", "sk-fine", default_model=None)
    chosen = snapshot(
        providers=[one, other, provider("off", not_ready="no key")],
        routes=[ReadyRoute("r", [Target("one", "x"), Target("other", "*"), Target("other", "routed")])],
    )
    trials = await try_all(list(subjects(chosen)))
    assert without_ms(trials) == [
        ("one", 1, "known", None),
        ("one", 2, "known", "HTTP 401: the provider refuses the gateway's key"),
        ("other", 1, "routed", None),
    ]
    assert sorted(request.headers["authorization"] for request in fake.requests) == [
        "Bearer sk-bad",
        "Bearer sk-fine",
        "Bearer sk-good",
    ]
    asked = json.loads(fake.requests[0].body)
    assert 1 <= (asked.get("max_tokens") or asked["max_completion_tokens"]) <= 16


async def test_a_provider_without_any_model_to_ask() -> None:
    (trial,) = await try_all(list(subjects(snapshot(providers=[at("", "one", "sk", default_model=None)]))))
    assert trial.error == "no model is known to ask: set default_model"


def echo(**changes: Any) -> ReadyProvider:
    return attrs.evolve(provider("echo", "echo"), keys=(), default_model="echo", **changes)


def good() -> Snapshot:
    return snapshot(providers=[echo()])


def bad() -> Snapshot:
    # Nobody listens on port 1.
    return snapshot(providers=[echo(), at("http://127.0.0.1:1", "down", "sk-secret")])


@pytest.mark.parametrize(("make", "code"), [(good, 0), (bad, 1)])
def test_the_table_and_the_exit_code(make: Any, code: int, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_live(make(), False) == code  # noqa: FBT003 - the signature is what is tested
    head, *rows = capsys.readouterr().out.splitlines()
    assert head.split() == ["provider", "key", "model", "ms", "result"]
    assert rows[0].split()[:3] == ["echo", "-", "echo"]
    assert rows[0].endswith("  ok")
    if code:
        assert rows[1].split()[:3] == ["down", "#1", "known"]
        assert "connect" in rows[1]
        assert "secret" not in rows[1]


@pytest.mark.parametrize(("make", "code"), [(good, 0), (bad, 1)])
def test_as_json(make: Any, code: int, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_live(make(), True) == code  # noqa: FBT003 - the signature is what is tested
    said = json.loads(capsys.readouterr().out)
    assert said["ok"] is (code == 0)
    assert said["trials"][0] | {"ms": 0} == {"provider": "echo", "key": 0, "model": "echo", "error": None, "ms": 0}
    assert len(said["trials"]) == 1 + code
