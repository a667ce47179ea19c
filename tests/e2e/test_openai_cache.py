"""The official `openai` package against a running gateway with a cache; the upstream counts how often it is asked."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import openai
import pytest

from tests.e2e.fake_thread import ThreadedFake
from tests.e2e.gateway_process import running_gateway
from tests.fake_upstream import Pause, json_answer
from tests.limits.redis.server import RedisServer, find_redis_server

CONFIG = """
[server]
workers = {workers}
[limits]
redis_timeout_s = 5    # a machine that stalls is not what is tested here
[cache]
store = "{store}"
[providers.fake]
wire = "openai"
base_url = "{base_url}"
api_keys = ["env:FAKE_KEY"]
allow_private_network = true
"""
MODEL = "fake/m"
ANSWER = {
    "id": "c1",
    "object": "chat.completion",
    "created": 1,
    "model": "m",
    "choices": [{"index": 0, "message": {"role": "assistant", "content": "Hello"}, "finish_reason": "stop"}],
    "usage": {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2},
}


@pytest.fixture
def fake() -> Iterator[ThreadedFake]:
    with ThreadedFake(json_answer(200, ANSWER)).running() as running:
        yield running


@pytest.fixture(params=["memory", "redis"])
def client(request: pytest.FixtureRequest, fake: ThreadedFake, tmp_path: Path) -> Iterator[Any]:
    """`memory` is each worker's own, so it has one; with `redis` there are two."""
    config = CONFIG.format(
        store=request.param, workers=1 if request.param == "memory" else 2, base_url=fake.upstream.base_url
    )
    redis = RedisServer(find_redis_server()) if request.param == "redis" else None
    env = {"FAKE_KEY": "sk-fake", "REDIS_URL": redis.url if redis else ""}
    try:
        with (
            running_gateway(tmp_path, config, env) as origin,
            openai.OpenAI(base_url=f"{origin}/v1", api_key="none", max_retries=0) as opened,
        ):
            yield opened
    finally:
        if redis is not None:
            redis.close()


def said(text: str) -> list[dict[str, str]]:
    return [{"role": "user", "content": text}]


def test_plain_and_streamed_requests_have_one_answer(client: Any, fake: ThreadedFake) -> None:
    raw = [client.chat.completions.with_raw_response.create(model=MODEL, messages=said("Hi")) for _ in range(8)]
    assert [each.headers.get("x-clawgw-cache") for each in raw] == [None] + ["hit"] * 7
    assert {each.text for each in raw} == {raw[0].text}
    with client.chat.completions.stream(model=MODEL, messages=said("Hi")) as stream:
        assert "".join(event.delta for event in stream if event.type == "content.delta") == "Hello"
        assert stream.get_final_completion().choices[0].message.content == "Hello"
    client.chat.completions.create(model=MODEL, messages=said("Hi"), extra_headers={"cache-control": "no-cache"})
    assert len(fake.upstream.requests) == 2


def test_equal_requests_at_the_same_time_are_asked_once_by_each_worker(client: Any, fake: ThreadedFake) -> None:
    fake.answer = [Pause(0.5), *json_answer(200, ANSWER)]
    together = threading.Barrier(12)

    def ask() -> str:
        together.wait()
        completion = client.chat.completions.create(model=MODEL, messages=said("Hi"))
        return str(completion.choices[0].message.content)

    with ThreadPoolExecutor(12) as pool:
        assert {future.result() for future in [pool.submit(ask) for _ in range(12)]} == {"Hello"}
    assert 1 <= len(fake.upstream.requests) <= 2
