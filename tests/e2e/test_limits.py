"""Limits as clients meet them: one gateway, its workers, and several gateways that share a Redis."""

import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx2
import openai
import pytest

from clawgw.config.callers import key_digest
from tests.e2e.gateway_process import PATIENCE_S, running_gateway
from tests.limits.redis.server import RedisServer
from tests.waiting import until_sync

BURST = 10
REFILL_S = 60 / BURST
CHAT = {"model": "echo/echo", "messages": [{"role": "user", "content": "hello"}]}
REDIS = '[limits]\nstore = "redis"\n'
PATIENT_REDIS = REDIS + "redis_timeout_s = 5\n"


def config(limits: str, rest: str = "") -> str:
    return f"""
[[keys]]
name = "alice"
sha256 = "{key_digest("alice").hex()}"
admin = true
limits = {{ {limits} }}
[[keys]]
name = "bob"
sha256 = "{key_digest("bob").hex()}"
limits = {{ requests_per_minute = 1_000_000 }}
{rest}
"""


def gateways(
    stack: ExitStack, folder: Path, text: str, count: int = 1, env: Mapping[str, str] | None = None
) -> list[str]:
    def start(number: int) -> str:
        own = folder / str(number)
        own.mkdir()
        return stack.enter_context(running_gateway(own, text, env))

    return [start(number) for number in range(count)]


def request(method: str, url: str, **more: Any) -> httpx2.Response:
    """On a connection of its own, for which no certificates are loaded."""
    return httpx2.request(method, url, timeout=PATIENCE_S, verify=False, **more)


def ask(origin: str, key: str = "alice", **more: Any) -> httpx2.Response:
    headers = {"authorization": f"Bearer {key}"}
    return request("POST", f"{origin}/v1/chat/completions", json={**CHAT, **more}, headers=headers)


def side_by_side(origins: Sequence[str], count: int, **more: Any) -> list[httpx2.Response]:
    with ThreadPoolExecutor(count) as threads:
        return [*threads.map(lambda number: ask(origins[number % len(origins)], **more), range(count))]


def assert_no_more_than_the_burst(origins: Sequence[str]) -> None:
    began = time.monotonic()
    answers = side_by_side(origins, 50)
    refilled = int((time.monotonic() - began) / REFILL_S)
    statuses = Counter(answer.status_code for answer in answers)
    assert set(statuses) == {200, 429}
    assert BURST <= statuses[200] <= BURST + refilled
    for refused in (answer for answer in answers if answer.status_code == 429):
        assert refused.json()["error"]["code"] == "rate_limit_exceeded"
        assert 1 <= int(refused.headers["retry-after"]) <= 60
        assert "x-should-retry" not in refused.headers
        assert refused.headers["x-ratelimit-limit-requests"] == str(BURST)


@pytest.mark.parametrize("workers", [1, 3])
def test_fifty_at_once_on_a_burst_of_ten(tmp_path: Path, workers: int) -> None:
    with ExitStack() as stack:
        origins = gateways(stack, tmp_path, config(f"requests_per_minute = {BURST}", f"[server]\nworkers = {workers}"))
        assert_no_more_than_the_burst(origins)


def test_what_the_official_client_makes_of_it(tmp_path: Path) -> None:
    with ExitStack() as stack:
        (origin,) = gateways(stack, tmp_path, config("requests_per_minute = 1"))

        def chat(key: str) -> None:
            with openai.OpenAI(base_url=f"{origin}/v1", api_key=key, max_retries=0) as client:
                client.chat.completions.create(model="echo/echo", messages=[{"role": "user", "content": "hello"}])

        with pytest.raises(openai.AuthenticationError) as unknown:
            chat("nobody")
        chat("alice")
        with pytest.raises(openai.RateLimitError) as limited:
            chat("alice")
        assert (unknown.value.code, limited.value.code) == ("invalid_api_key", "rate_limit_exceeded")
        assert "1 requests per minute" in limited.value.message


def test_fifty_at_once_on_three_gateways_that_share_a_redis(tmp_path: Path, redis: RedisServer) -> None:
    with ExitStack() as stack:
        text = config(f"requests_per_minute = {BURST}", PATIENT_REDIS)
        origins = gateways(stack, tmp_path, text, 3, {"REDIS_URL": redis.url})
        assert {answer.status_code for answer in side_by_side(origins, 50, key="bob")} == {200}  # all have warmed up
        assert_no_more_than_the_burst(origins)


def test_two_hundred_streams_use_no_more_tokens_than_there_are(tmp_path: Path) -> None:
    limit, reserved = 2_000, 200
    with ExitStack() as stack:
        text = config(f"tokens_per_minute = {limit}", "[server]\nworkers = 3")
        origins = gateways(stack, tmp_path, text)
        began = time.monotonic()
        more = {"stream": True, "stream_options": {"include_usage": True}, "max_tokens": reserved}
        answers = side_by_side(origins, 200, **more)
        refilled = (time.monotonic() - began) * limit / 60
        served = [answer.text for answer in answers if answer.status_code == 200]
        assert served
        assert all(text.endswith("data: [DONE]\n\n") for text in served)
        used = sum(int(text.rpartition('"total_tokens":')[2].partition("}")[0].partition(",")[0]) for text in served)
        assert used <= limit + refilled
        left = ask(origins[0], max_tokens=1).headers["x-ratelimit-remaining-tokens"]
        assert int(left) >= limit - used - reserved


def ready(origin: str) -> dict[str, Any]:
    answer: dict[str, Any] = request("GET", f"{origin}/ready").json()
    return answer


def degraded(origin: str) -> bool:
    headers = {"authorization": "Bearer alice"}
    return "clawgw_limiter_degraded 1.0" in request("GET", f"{origin}/metrics", headers=headers).text


@pytest.mark.parametrize("away", [RedisServer.freeze, RedisServer.kill])
def test_a_redis_that_is_away_fails_no_request(
    tmp_path: Path, redis: RedisServer, away: Callable[[RedisServer], None]
) -> None:
    with ExitStack() as stack:
        text = config("requests_per_minute = 100000, concurrent = 100", REDIS)
        (origin,) = gateways(stack, tmp_path, text, env={"REDIS_URL": redis.url})
        assert ask(origin).status_code == 200
        assert not degraded(origin)
        away(redis)
        assert {answer.status_code for _ in range(5) for answer in side_by_side([origin], 8)} == {200}
        until_sync(lambda: degraded(origin))
        assert "counted on this machine meanwhile" in ready(origin)["degraded"][0]
        assert "unix" not in ready(origin)["degraded"][0]


def test_after_a_flush_and_a_thaw_all_goes_on(tmp_path: Path, redis: RedisServer) -> None:
    with ExitStack() as stack:
        text = config("requests_per_minute = 100000, concurrent = 2", REDIS)
        (origin,) = gateways(stack, tmp_path, text, env={"REDIS_URL": redis.url})
        assert ask(origin).status_code == 200
        redis.client.flushall()
        redis.client.script_flush()
        assert ask(origin).status_code == 200
        redis.freeze()
        until_sync(lambda: ask(origin).status_code == 200 and degraded(origin))
        redis.thaw()
        until_sync(lambda: not degraded(origin))
        answer = ask(origin)
        assert (answer.status_code, answer.headers["x-ratelimit-limit-requests"]) == (200, "100000")


def test_with_closed_nothing_that_is_limited_passes_while_redis_is_away(tmp_path: Path, redis: RedisServer) -> None:
    with ExitStack() as stack:
        text = config("requests_per_minute = 100000", REDIS + 'when_down = "closed"')
        (origin,) = gateways(stack, tmp_path, text, env={"REDIS_URL": redis.url})
        assert ask(origin).status_code == 200
        redis.kill()
        until_sync(lambda: request("GET", f"{origin}/ready").status_code == 503)
        refused = ask(origin)
        assert (refused.status_code, refused.headers["retry-after"]) == (429, "1")
