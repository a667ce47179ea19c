"""Against a real redis-server, which is also frozen, killed, filled and lied into."""

import logging
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
import trio

from clawgw.cache.entry import Entry
from clawgw.cache.redis import PREFIX, RedisCache
from clawgw.limits.redis.connection import BadRedisUrl
from tests.given_time import within
from tests.limits.redis.server import RedisServer

ENTRY = Entry(b'{"id":"c"}', "p", "m", 1.5, {"prompt_tokens": 7}, "stop", ("seed",))
KEY = b"\x01" * 32
IN_REDIS = PREFIX + b"01" * 32
PATIENT_S = 10.0
"""A busy machine is no absence."""
MIB = 1024 * 1024


@asynccontextmanager
async def running(url: str, max_bytes: int = 64 * MIB, patience_s: float = PATIENT_S) -> AsyncIterator[RedisCache]:
    cache = RedisCache(url, max_bytes, patience_s=patience_s)
    async with trio.open_nursery() as nursery:
        await nursery.start(cache.run)
        yield cache
        nursery.cancel_scope.cancel()


async def test_what_one_has_put_another_gets(server: RedisServer) -> None:
    async with running(server.url) as one, running(server.url) as other:
        assert await one.get(KEY) is None
        one.put(KEY, ENTRY, 300.0)
        assert await one.get(KEY) == ENTRY
        assert await other.get(KEY) == ENTRY
    assert server.client.keys("*") == [IN_REDIS]
    assert 299_000 < int(server.client.pttl(IN_REDIS)) <= 300_000


async def test_many_at_once(server: RedisServer) -> None:
    entries = {b"%032d" % number: Entry(b"x" * number, "p", "m", 1.0) for number in range(300)}
    async with running(server.url) as cache, trio.open_nursery() as nursery:
        for key, entry in entries.items():
            cache.put(key, entry, 300.0)

        async def compare(key: bytes) -> None:
            assert await cache.get(key) == entries[key]

        for key in entries:
            nursery.start_soon(compare, key)


@pytest.mark.parametrize("value", [b"", b"{}", b"x" * 100, ENTRY.encode()[:-1]])
async def test_a_foreign_or_torn_value_is_a_miss(server: RedisServer, value: bytes) -> None:
    server.client.set(IN_REDIS, value)
    async with running(server.url) as cache:
        assert await cache.get(KEY) is None


async def test_a_value_of_another_kind_is_a_miss_and_others_are_found(server: RedisServer) -> None:
    server.client.lpush(IN_REDIS, "x")
    async with running(server.url) as cache:
        assert await cache.get(KEY) is None
        cache.put(b"other", ENTRY, 300.0)
        assert await cache.get(b"other") == ENTRY


async def test_a_full_redis_keeps_nothing_and_breaks_nothing(server: RedisServer) -> None:
    server.client.config_set("maxmemory", "1")
    async with running(server.url) as cache:
        cache.put(KEY, ENTRY, 300.0)
        assert await cache.get(KEY) is None


async def test_one_that_is_too_large_is_not_put(server: RedisServer) -> None:
    async with running(server.url, max_bytes=64 * 2_000) as cache:
        cache.put(b"large", Entry(b"x" * 977, "p", "m", 1.0), 300.0)
        cache.put(b"fits", Entry(b"x" * 976, "p", "m", 1.0), 300.0)
        assert await cache.get(b"large") is None
        assert await cache.get(b"fits") is not None


async def test_no_more_waits_than_may_be_kept(server: RedisServer) -> None:
    async with running(server.url, max_bytes=64 * 2_000) as cache:
        for number in range(100):
            cache.put(b"%d" % number, Entry(b"x" * 976, "p", "m", 1.0), 300.0)
        await cache.get(b"0")
        assert server.client.dbsize() == 64


async def test_a_frozen_redis_costs_a_wait_of_50_ms_now_and_then_and_comes_back(
    server: RedisServer, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    caplog.set_level(logging.WARNING, "clawgw")
    monkeypatch.setattr("clawgw.cache.redis.REST_S", 0.5)
    async with running(server.url, patience_s=0.05) as cache:
        await found_at_last(cache)
        server.freeze()
        with within(1.5):
            for _ in range(60):
                assert await cache.get(KEY) is None
                cache.put(KEY, ENTRY, 300.0)
        server.thaw()
        await found_at_last(cache)
    *_, away, again = [record.message for record in caplog.records]
    assert re.fullmatch(r"cache: Redis is away \(Timeout(Error)?\); nothing is found there meanwhile", away)
    assert again == "cache: Redis answers again"


async def test_a_killed_redis_is_a_miss_until_it_is_back(
    server: RedisServer, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("clawgw.cache.redis.REST_S", 0.0)
    async with running(server.url) as cache:
        await found_at_last(cache)
        server.kill()
        for _ in range(3):
            assert await cache.get(KEY) is None
        server.start()
        await found_at_last(cache)
    assert server.url not in caplog.text


async def test_a_queue_that_is_full_is_a_miss(server: RedisServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("clawgw.cache.redis.QUEUE", 0)
    cache = RedisCache(server.url, MIB)
    cache.put(KEY, ENTRY, 300.0)
    assert await cache.get(KEY) is None


async def test_whoever_left_is_not_asked_for(server: RedisServer) -> None:
    cache = RedisCache(server.url, MIB, patience_s=0.0)
    assert await cache.get(KEY) is None
    async with trio.open_nursery() as nursery:
        await nursery.start(cache.run)
        await trio.testing.wait_all_tasks_blocked(0.01)
        nursery.cancel_scope.cancel()
    assert server.client.info("commandstats").get("cmdstat_get") is None


def test_another_url() -> None:
    with pytest.raises(BadRedisUrl):
        RedisCache("http://localhost", MIB)


async def found_at_last(cache: RedisCache) -> None:
    with trio.fail_after(PATIENT_S):
        while await cache.get(KEY) != ENTRY:
            cache.put(KEY, ENTRY, 300.0)
            await trio.sleep(0.005)
