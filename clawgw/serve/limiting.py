"""Where limits are kept: in this process, in a table that the workers of a machine share, or in a Redis."""

from collections.abc import Mapping

import trio
from attrs import frozen

from clawgw.clock import now_ms
from clawgw.config.mistakes import ConfigError, Mistake
from clawgw.config.snapshot import Snapshot
from clawgw.config.tables.limits import Limits
from clawgw.limits.budgets import budgets
from clawgw.limits.memory import MemoryStore
from clawgw.limits.shared import SharedStore
from clawgw.limits.store import LimitStore
from clawgw.serve.seeding import Seeding

_MEANWHILE: Mapping[str, str] = {
    "local": "counted on this machine meanwhile",
    "open": "nothing is limited meanwhile",
    "closed": "what has a limit is refused meanwhile",
}


@frozen
class LimitKeeper:
    """The store of a process, which outlives every configuration, and how it is."""

    store: LimitStore
    settings: Limits
    seeding: Seeding

    @classmethod
    def of(cls, snapshot: Snapshot, instance: str, shared_fd: int | None) -> "LimitKeeper":
        """As `[limits]` says. `instance` names the gateway, all workers together; `shared_fd` is the table they share.

        Raises ConfigError where the Redis URL is none.
        """
        local = MemoryStore(now_ms) if shared_fd is None else SharedStore(shared_fd, now_ms)
        settings, seeding = snapshot.settings.limits, Seeding.of(snapshot)
        if settings.store == "memory" or snapshot.redis_url is None:
            return cls(local, settings, seeding)
        redis = _in_redis(snapshot.redis_url.reveal(), settings, local, instance, seeding)
        return cls(redis, settings, seeding)

    async def run(self, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Renew what is held, until cancelled. Ready when the store is, and budgets are seeded."""
        async with trio.open_nursery() as nursery:
            await nursery.start(self.store.run)
            await self.seeding.begin(self.store, self.seeding.budgets)
            task_status.started()
            await self.seeding.run(self.store)

    async def expect(self, snapshot: Snapshot) -> None:
        """Seed the budgets of a configuration that may be served next."""
        await self.seeding.begin(self.store, budgets(snapshot))

    @property
    def degraded(self) -> str | None:
        """Why limits are not kept as they should be, for people; None: they are."""
        reason = self.store.degraded
        if reason is None:
            return None
        return f"limits: Redis does not answer ({reason}); {_MEANWHILE[self.settings.when_down]}"

    @property
    def refuses(self) -> bool:
        """Whether nothing that has a limit is let through because of that."""
        return self.degraded is not None and self.settings.when_down == "closed"


def _in_redis(url: str, settings: Limits, local: LimitStore, instance: str, seeding: Seeding) -> LimitStore:
    """Raises ConfigError where the URL is none of Redis's."""
    # redis-py and all that it imports take a quarter of a second and MiBs: only where they are wanted.
    from clawgw.limits.redis.connection import BadRedisUrl  # noqa: PLC0415 - see above
    from clawgw.limits.redis.store import RedisStore  # noqa: PLC0415 - see above

    patience_s = settings.redis_timeout_s
    try:
        return RedisStore(url, settings.when_down, local, instance, forgotten=seeding.ask, patience_s=patience_s)
    except BadRedisUrl as error:
        raise ConfigError([Mistake("limits.redis_url", str(error))]) from None
