from typing import Any, cast

import pytest
import trio

from clawgw.cache.memory import MemoryCache
from clawgw.cache.redis import RedisCache
from clawgw.caching import CachingGateway
from clawgw.config.load import load
from clawgw.config.mistakes import ConfigError
from clawgw.config.snapshot import Snapshot
from clawgw.gateway import Gateway
from clawgw.limits.memory import MemoryStore
from clawgw.serve.caching import NO_CACHE, CacheKeeper
from clawgw.serve.limiting import LimitKeeper
from clawgw.web.metrics import Metrics


def snapshot(store: str, url: str = "redis://localhost:1") -> Snapshot:
    text = f'[cache]\nstore = "{store}"\nmax_bytes = 1000'
    return load(text, {"REDIS_URL": url}, read_file=lambda _: pytest.fail("no file is named"))


def gateway() -> Gateway:
    return Gateway(cast("Any", None), cast("Any", None), lambda: 0.5)


def test_off_leaves_the_gateway_as_it_is() -> None:
    alone, keeper = gateway(), CacheKeeper.of(snapshot("off"))
    assert keeper == NO_CACHE
    assert keeper.before(alone, Metrics(str, "v1")) is alone


def test_memory() -> None:
    keeper = CacheKeeper.of(snapshot("memory"))
    assert isinstance(keeper.store, MemoryCache)
    assert keeper.store.max_bytes == 1000


async def test_redis_leaves_limits_where_they_are() -> None:
    keeper = CacheKeeper.of(snapshot("redis"))
    assert isinstance(keeper.store, RedisCache)
    assert isinstance(LimitKeeper.of(snapshot("redis"), "i1", None).store, MemoryStore)


def test_no_url_of_a_redis_is_a_mistake() -> None:
    with pytest.raises(ConfigError) as caught:
        CacheKeeper.of(snapshot("redis", "redis://:secret@h:port"))
    (mistake,) = caught.value.mistakes
    assert mistake.path == "limits.redis_url"
    assert "secret" not in str(mistake)


@pytest.mark.parametrize("store", ["off", "memory", "redis"])
async def test_it_runs_until_it_is_cancelled(store: str) -> None:
    keeper = CacheKeeper.of(snapshot(store))
    async with trio.open_nursery() as nursery:
        await nursery.start(keeper.run)
        nursery.cancel_scope.cancel()


def test_what_comes_of_requests_is_counted() -> None:
    metrics = Metrics(str, "v1")
    before = CacheKeeper.of(snapshot("memory")).before(gateway(), metrics)
    assert isinstance(before, CachingGateway)
    before.count("hit")
    text, _ = metrics.exposition("")
    assert b'clawgw_cache_total{result="hit"} 1.0' in text
    assert b'clawgw_cache_total{result="joined"} 0.0' in text
