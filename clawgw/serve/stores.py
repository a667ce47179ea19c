"""What a process that serves keeps things in, whatever its configuration: limits, answers, records."""

from typing import Self

import trio
from attrs import frozen

from clawgw.config.snapshot import Snapshot
from clawgw.serve.caching import CacheKeeper
from clawgw.serve.limiting import LimitKeeper
from clawgw.serve.recording import Recording
from clawgw.web.metrics import Metrics


@frozen
class Stores:
    """All of them."""

    limits: LimitKeeper
    cache: CacheKeeper
    recording: Recording

    @classmethod
    def of(cls, snapshot: Snapshot, instance: str, limits_fd: int | None = None) -> Self:
        """As the first configuration says; `instance` and `limits_fd` as for `LimitKeeper.of`. Raises ConfigError."""
        return cls(LimitKeeper.of(snapshot, instance, limits_fd), CacheKeeper.of(snapshot), Recording.of(snapshot))

    async def run(self, metrics: Metrics, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Look after them, until cancelled; ready when they are."""
        async with trio.open_nursery() as nursery:
            await nursery.start(self.limits.run)
            await nursery.start(self.cache.run)
            nursery.start_soon(self.recording.run, metrics)
            task_status.started()

    def close(self) -> None:
        """When nothing more is recorded."""
        self.recording.close()
