"""Answers in Redis, for all workers and machines that share it. How much it keeps in all is Redis's own `maxmemory`.

Commands go out in the order they were given, what waits at the same time together, in one thread at a time: an answer
is there for whoever asks after it was put. A Redis that is away costs the first who asks `patience_s`, and then nobody
anything for `REST_S`; meanwhile nothing is found and nothing kept.
"""

import logging
from collections.abc import Sequence
from functools import partial
from typing import Any

import trio
from attrs import define, field
from redis.exceptions import ResponseError

from clawgw.cache.entry import Entry
from clawgw.cache.store import SHARE
from clawgw.limits.redis.connection import Connection, connection, reason

log = logging.getLogger("clawgw")

PATIENCE_S = 0.05
REST_S = 1.0
QUEUE = 1024
BATCH = 64
BATCH_BYTES = 256 * 1024
PREFIX = b"clawgw:cache:1:"
"""The number is that of the entries' format."""


@define(eq=False)
class _Job:
    command: tuple[bytes | int, ...]
    size: int = 0
    abandoned: bool = False
    answer: Any = None
    done: trio.Event = field(factory=trio.Event)


class RedisCache:
    """An `AnswerStore`; it works while `run` does."""

    def __init__(self, url: str, max_bytes: int, *, patience_s: float = PATIENCE_S) -> None:
        """Connects later. Raises `BadRedisUrl`. No more than `max_bytes` wait to be put."""
        self._connection: Connection = connection(url, patience_s)
        self._max_bytes = max_bytes
        self._patience_s = patience_s
        self._jobs, self._queue = trio.open_memory_channel[_Job](QUEUE)
        self._waiting = 0
        self._rests_until = 0.0
        self._away = False

    async def get(self, key: bytes) -> Entry | None:
        """As `AnswerStore.get`."""
        job = _Job((b"GET", PREFIX + key.hex().encode()))
        if self._rests() or not self._submit(job):
            return None
        with trio.move_on_after(self._patience_s):
            await job.done.wait()
        if not job.done.is_set():
            job.abandoned = True
            self._failed("Timeout")
        return Entry.decode(job.answer) if isinstance(job.answer, bytes) else None

    def put(self, key: bytes, entry: Entry, ttl_s: float) -> None:
        """As `AnswerStore.put`."""
        fits = entry.size <= self._max_bytes // SHARE and self._waiting + entry.size <= self._max_bytes
        if not fits or self._rests():
            return
        command = (b"SET", PREFIX + key.hex().encode(), entry.encode(), b"PX", max(1, round(ttl_s * 1000)))
        if self._submit(_Job(command, entry.size)):
            self._waiting += entry.size

    async def run(self, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Carry commands to Redis until cancelled."""
        task_status.started()
        try:
            while True:
                await self._carry(await self._batch())
        finally:
            self._connection.disconnect()

    async def _batch(self) -> Sequence[_Job]:
        batch = [await self._queue.receive()]
        while len(batch) < BATCH and sum(job.size for job in batch) < BATCH_BYTES:
            try:
                batch.append(self._queue.receive_nowait())
            except trio.WouldBlock:
                break
        return batch

    async def _carry(self, batch: Sequence[_Job]) -> None:
        wanted = [job for job in batch if not job.abandoned]
        error = await trio.to_thread.run_sync(partial(self._exchange, wanted)) if wanted else None
        self._waiting -= sum(job.size for job in batch)
        if error is not None:
            self._failed(error)
        elif wanted:
            self._answered()
        for job in wanted:
            job.done.set()

    def _exchange(self, jobs: Sequence[_Job]) -> str | None:
        """In the thread. Give each its answer; why there are none, in a word."""
        try:
            self._connection.send_packed_command(self._connection.pack_commands([job.command for job in jobs]))
            for job in jobs:
                job.answer = self._answer()
        except Exception as error:  # noqa: BLE001 - whatever it is, it is a miss, and the next ones are tried
            self._connection.disconnect()
            return reason(error)
        return None

    def _answer(self) -> Any:
        try:
            return self._connection.read_response()
        except ResponseError as error:  # of one command, such as a SET for which there is no memory
            log.debug("cache: Redis says %s", reason(error))
            return None

    def _submit(self, job: _Job) -> bool:
        try:
            self._jobs.send_nowait(job)
        except trio.WouldBlock:
            return False
        return True

    def _rests(self) -> bool:
        return trio.current_time() < self._rests_until

    def _failed(self, why: str) -> None:
        self._rests_until = trio.current_time() + REST_S
        if not self._away:
            log.warning("cache: Redis is away (%s); nothing is found there meanwhile", why)
        self._away = True

    def _answered(self) -> None:
        if self._away:
            log.warning("cache: Redis answers again")
        self._away = False
