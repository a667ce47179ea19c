"""Where answers are kept: nowhere, in this process, or in a Redis."""

from typing import Self

import trio
from attrs import frozen

from clawgw.cache.memory import MemoryCache
from clawgw.cache.store import AnswerStore
from clawgw.caching import CachingGateway
from clawgw.config.mistakes import ConfigError, Mistake
from clawgw.config.snapshot import Snapshot
from clawgw.gateway import Gateway
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
        return cls(_in_redis(url.reveal(), cache.max_bytes, snapshot.settings.limits.redis_timeout_s))

    async def run(self, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """What the store does beside answering, until cancelled."""
        if self.store is None:
            task_status.started()
        else:
            await self.store.run(task_status)

    def before(self, gateway: Gateway, metrics: Metrics) -> Answering:
        """The gateway as the doors shall see it."""
        return gateway if self.store is None else CachingGateway(gateway, self.store, metrics.cache_asked)


def _in_redis(url: str, max_bytes: int, patience_s: float) -> AnswerStore:
    """Raises ConfigError where the URL is none of Redis's."""
    # redis-py and all that it imports take a quarter of a second and MiBs: only where they are wanted.
    from clawgw.cache.redis import RedisCache  # noqa: PLC0415 - see above
    from clawgw.limits.redis.connection import BadRedisUrl  # noqa: PLC0415 - see above

    try:
        return RedisCache(url, max_bytes, patience_s=patience_s)
    except BadRedisUrl as error:
        raise ConfigError([Mistake("limits.redis_url", str(error))]) from None


NO_CACHE = CacheKeeper(None)
