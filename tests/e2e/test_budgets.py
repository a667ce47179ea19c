"""Budgets as clients meet them after a restart, and after a Redis was emptied: what was spent stays spent."""

from contextlib import ExitStack
from pathlib import Path

import httpx2
import pytest

from tests.e2e.gateway_process import running_gateway
from tests.e2e.test_limits import REDIS, ask, config, gateways
from tests.limits.redis.server import RedisServer
from tests.waiting import until_sync

TOKEN_USD = 0.001
PRICES = f"""
[prices."echo/echo"]
input = {1_000_000 * TOKEN_USD}
output = {1_000_000 * TOKEN_USD}
"""
TOKENS = 100


def budget(rest: str = "") -> str:
    """Alice's, for so many tokens in a month, so that no test meets its end but in the last seconds of one."""
    return config(
        f'requests_per_minute = 1000 }}\nbudget = {{ usd = {TOKENS * TOKEN_USD}, per = "month"', PRICES + rest
    )


def refused(origin: str, max_tokens: int) -> bool:
    """Whether a request that may have so long an answer is more than what is left."""
    return cost(ask(origin, max_tokens=max_tokens)) is None


def cost(answer: httpx2.Response) -> int | None:
    """In tokens; None: there is not so much left."""
    if answer.status_code == 429:
        assert answer.json()["error"]["code"] == "budget_exceeded"
        return None
    assert answer.status_code == 200
    return round(float(answer.headers["x-clawgw-cost-usd"]) / TOKEN_USD)


def longest(origin: str) -> tuple[int, int]:
    """How long an answer may be at most, and how long it may be when this one was paid for; refusals take nothing.

    Something must have been spent before: what is asked of a full budget is never more than it holds.
    """
    for max_tokens in range(TOKENS, 0, -1):
        spent = cost(ask(origin, max_tokens=max_tokens))
        if spent is not None:
            return max_tokens, max_tokens - spent
    raise AssertionError("nothing is left")


@pytest.mark.parametrize("workers", [1, 3])
def test_after_a_restart_exactly_as_much_is_left_as_before(tmp_path: Path, workers: int) -> None:
    text = budget(f"[server]\nworkers = {workers}")
    with running_gateway(tmp_path, text) as origin:
        assert not refused(origin, 1)
        _, left = longest(origin)
    with running_gateway(tmp_path, text) as origin:
        assert longest(origin)[0] == left
        while not refused(origin, 1):
            pass
    with running_gateway(tmp_path, text) as origin:
        assert refused(origin, 1)
        assert ask(origin, "bob").status_code == 200


def told(redis: RedisServer) -> int:
    """How many gateways have said what they have spent."""
    lengths = [redis.client.hlen(key) for key in redis.client.keys("{clawgw}:spent:*")]
    return sum(lengths)


def test_an_emptied_redis_learns_what_each_gateway_has_spent(tmp_path: Path, redis: RedisServer) -> None:
    with ExitStack() as stack:
        text = budget(REDIS + "redis_timeout_s = 5\n")
        origins = gateways(stack, tmp_path, text, 2, {"REDIS_URL": redis.url})
        assert not refused(origins[0], 1)
        _, left = longest(origins[1])
        until_sync(lambda: told(redis) == 2)
        redis.client.flushall()
        until_sync(lambda: told(redis) == 2)
        assert longest(origins[0])[0] == left
        while not refused(origins[1], 1):
            pass
        redis.client.flushall()
        until_sync(lambda: refused(origins[1], 1))
        assert refused(origins[0], 1)
