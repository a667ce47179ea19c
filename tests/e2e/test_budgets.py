"""Budgets as clients meet them after a restart, and after a Redis was emptied: what was spent stays spent."""

from pathlib import Path

import httpx2
import pytest

from tests.e2e.gateway_process import running_gateway
from tests.e2e.test_limits import REDIS, ask, config, redis, until  # noqa: F401 - a fixture
from tests.limits.redis.server import RedisServer

PRICES = """
[prices."echo/echo"]
input = 1000.0
output = 1000.0
"""


def budget(usd: float, rest: str = "") -> str:
    """For alice, and for each month, so that no test meets its end but on the last second of one."""
    return config(f'requests_per_minute = 1000 }}\nbudget = {{ usd = {usd}, per = "month"', PRICES + rest)


def refused(answer: httpx2.Response) -> bool:
    if answer.status_code == 200:
        return False
    assert (answer.status_code, answer.json()["error"]["code"]) == (429, "budget_exceeded")
    return True


def spend(origin: str) -> int:
    """All that there is; how many requests that were."""
    asked = 0
    while not refused(ask(origin, max_tokens=1)):
        asked += 1
        assert asked < 100
    return asked


@pytest.mark.parametrize("workers", [1, 3])
def test_a_budget_that_is_used_up_is_so_after_a_restart(tmp_path: Path, workers: int) -> None:
    text = budget(0.05, f"[server]\nworkers = {workers}")
    with running_gateway(tmp_path, text) as origin:
        assert spend(origin) > 1
    with running_gateway(tmp_path, text) as origin:
        assert refused(ask(origin, max_tokens=1))
        assert ask(origin, "bob").status_code == 200


def test_a_budget_that_is_used_up_is_so_when_redis_was_emptied(tmp_path: Path, redis: RedisServer) -> None:  # noqa: F811
    with running_gateway(tmp_path, budget(0.05, REDIS), {"REDIS_URL": redis.url}) as origin:
        assert spend(origin) > 1
        redis.client.flushall()
        until(lambda: refused(ask(origin, max_tokens=1)))
        assert refused(ask(origin, max_tokens=1))
