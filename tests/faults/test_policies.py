"""The table of faults, its row of policies: whatever one does, the request is served in the configured order."""

import logging
from pathlib import Path

import pytest
import trio

from clawgw.policies.guard import LIMIT_S
from tests.faults.answers import good
from tests.faults.setting import EXPLICIT_S, start
from tests.given_time import within

POLICIES = {
    "raises": "    raise RuntimeError('sk-secret-1')",
    "leaves": "    raise SystemExit(1)",
    "hangs": "    while True:\n        pass",
    "sleeps": "    import time\n    time.sleep(30)",
    "says-nothing": "    return None",
    "says-rubbish": "    return 42",
    "names-a-stranger": "    return Plan([PlannedAttempt(Target('nobody', 'm'))])",
    "tries-nothing": "    return Plan([])",
}


@pytest.mark.parametrize("body", POLICIES.values(), ids=POLICIES)
async def test_a_policy_that_gives_no_plan(
    nursery: trio.Nursery, tmp_path: Path, caplog: pytest.LogCaptureFixture, body: str
) -> None:
    folder = tmp_path / "policies"
    folder.mkdir()
    words = "from clawgw.policy import Plan, PlannedAttempt, Target\n"
    folder.joinpath("bad.py").write_text(f"{words}\n\ndef route(request, targets, options):\n{body}\n")
    s = await start(nursery, [good, good], route='policy = "bad:route"', folder=tmp_path)
    with within(LIMIT_S + EXPLICIT_S):
        answer = await s.ask()
    assert (answer.status, answer.headers["x-clawgw-provider"]) == (200, "t1")
    client = await s.serving.connect()
    metrics = (await client.get("/metrics")).body.decode()
    assert 'clawgw_policy_errors_total{policy="bad:route"} 1.0' in metrics
    said = [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING]
    assert len(said) == 1
    assert "bad:route" in said[0]
    assert "sk-secret" not in said[0]
