"""Where answers are kept: nowhere, in this process, or in a Redis."""

from typing import Self

import trio
from attrs import frozen

from clawgw.cache.memory import MemoryCache
from clawgw.cache.redis import RedisCache
from clawgw.cache.store import AnswerStore
from clawgw.caching import CachingGateway
from clawgw.config.mistakes import ConfigError, Mistake
from clawgw.config.snapshot import Snapshot
from clawgw.gateway import Gateway
from clawgw.limits.redis.connection import BadRedisUrl
from clawgw.web.metrics import Metrics
from clawgw.web.service import Answering


@frozen
class CacheKeeper:
    """The store of a process, which outlives every configuration; None: answers are not kept."""

    store: AnswerStore | None

    @classmethod
    def of(cls, snapshot: Snapshot) -> Self:
        """As `[cache]` says. Raises ConfigError where the Redis URL is none."""
        cache, url = snapshot.settings.cache, snapshot.redis_url
        if cache.store == "memory":
            return cls(MemoryCache(cache.max_bytes, trio.current_time))
        if cache.store == "off" or url is None:
            return cls(None)
        try:
            patience_s = snapshot.settings.limits.redis_timeout_s
            return cls(RedisCache(url.reveal(), cache.max_bytes, patience_s=patience_s))
        except BadRedisUrl as error:
            raise ConfigError([Mistake("limits.redis_url", str(error))]) from None

    async def run(self, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Talk to Redis, where there is one, until cancelled."""
        if isinstance(self.store, RedisCache):
            await self.store.run(task_status)
        else:
            task_status.started()

    def before(self, gateway: Gateway, metrics: Metrics) -> Answering:
        """The gateway as the doors shall see it."""
        return gateway if self.store is None else CachingGateway(gateway, self.store, metrics.cache_asked)


NO_CACHE = CacheKeeper(None)
