"""One thread that talks to Redis: what waits at the same time goes out together and comes back together.

Trio hands in jobs and is told of a whole batch at once; nobody waits here, whoever hands in a job decides for how long.
"""

import logging
import math
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from queue import Empty, SimpleQueue
from time import perf_counter
from typing import Any

import orjson
import trio
from attrs import define, field, frozen
from redis.exceptions import NoScriptError, ResponseError

from clawgw.limits.redis.connection import Connection, reason
from clawgw.limits.redis.scripts import Script

log = logging.getLogger("clawgw")

BATCH = 128


@frozen
class Unanswered:
    """Whether the script ran is not known."""

    reason: str


Answer = Any | Unanswered
"""What a script returned, or why not."""


@define(eq=False)
class Job:
    """A call of a script."""

    script: Script
    keys: Sequence[str]
    arguments: Sequence[str | int]
    abandoned: bool = field(default=False, init=False)
    """Nobody waits any more: it need not be sent."""
    answer: Answer = field(default=None, init=False)

    def done(self) -> None:
        """It has its answer. Called in Trio's thread; does not raise."""


class Link:
    """Live between `start` and `stop`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._jobs: SimpleQueue[Job | None] = SimpleQueue()
        self._closing = False
        self._given_up = False
        self._asked_at: float | None = None

    @property
    def silent_s(self) -> float:
        """For how long Redis has been asked something and has said nothing; waiting for the thread does not count."""
        asked_at = self._asked_at
        return 0.0 if asked_at is None else perf_counter() - asked_at

    def start(self) -> None:
        """From Trio. The thread never keeps the process alive."""
        self._closing = self._given_up = False
        self._ended = trio.Event()
        self._trio = trio.lowlevel.current_trio_token()
        threading.Thread(target=self._serve, name="clawgw-limits-redis", daemon=True).start()

    def submit(self, job: Job) -> None:
        """Never waits."""
        self._jobs.put(job)

    async def stop(self) -> None:
        """Wait until what was submitted has gone, or cannot go."""
        self._closing = True
        self._jobs.put(None)
        await self._ended.wait()

    def _serve(self) -> None:
        serving = True
        while serving:
            batch = self._gather()
            serving = None not in batch
            jobs = [job for job in batch if job is not None and not job.abandoned]
            if jobs:
                self._run(jobs)
                self._tell(partial(_done, jobs))
        self._connection.disconnect()
        self._tell(self._ended.set)

    def _gather(self) -> list[Job | None]:
        """What waits, at least one."""
        return [self._jobs.get(), *self._gather_now(BATCH - 1)]

    def _gather_now(self, most: float = math.inf) -> list[Job | None]:
        batch: list[Job | None] = []
        with suppress(Empty):
            while len(batch) < most:
                batch.append(self._jobs.get_nowait())
        return batch

    def _run(self, jobs: Sequence[Job]) -> None:
        """Give every job its answer. After the first failure while closing, nothing is tried any more."""
        if self._given_up:
            return _unanswered(jobs, "Closing")
        self._asked_at = perf_counter()
        try:
            unknown = self._exchange("EVALSHA", [(calls[0].script.digest, calls) for calls in _by_script(jobs)])
            self._exchange("EVAL", [(calls[0].script.source, calls) for calls in unknown])
        except Exception as error:  # noqa: BLE001 - whatever it is, those who wait hear of it, and the thread goes on
            self._connection.disconnect()
            self._given_up = self._closing
            _unanswered(jobs, reason(error))
            self._dismiss(reason(error))
        finally:
            self._asked_at = None

    def _dismiss(self, why: str) -> None:
        """Whoever has been waiting meanwhile does not wait once more."""
        waiting = self._gather_now()
        jobs = [job for job in waiting if job is not None]
        _unanswered(jobs, why)
        self._tell(partial(_done, jobs))
        if None in waiting:
            self._jobs.put(None)

    def _exchange(self, command: str, scripts: Sequence[tuple[str, Sequence[Job]]]) -> list[Sequence[Job]]:
        """Run scripts, each with all its calls. Returns the calls of those that Redis does not know."""
        if not scripts:
            return []
        commands = [(command, script, *_calls(jobs)) for script, jobs in scripts]
        self._connection.send_packed_command(self._connection.pack_commands(commands))
        return [jobs for _, jobs in scripts if not self._answer(jobs)]

    def _answer(self, jobs: Sequence[Job]) -> bool:
        """Take the answers to the calls of one script; False: Redis does not know it."""
        try:
            answers = self._connection.read_response()
        except NoScriptError:
            return False
        except ResponseError as error:
            _unanswered(jobs, reason(error))
            return True
        for job, answer in zip(jobs, answers, strict=True):
            job.answer = Unanswered(reason(answer)) if isinstance(answer, ResponseError) else answer
        return True

    def _tell(self, told: Callable[[], object]) -> None:
        try:
            self._trio.run_sync_soon(told)
        except trio.RunFinishedError:
            log.debug("limits: Redis answered after the end")


def _by_script(jobs: Sequence[Job]) -> list[list[Job]]:
    calls: dict[Script, list[Job]] = {}
    for job in jobs:
        calls.setdefault(job.script, []).append(job)
    return list(calls.values())


def _calls(jobs: Sequence[Job]) -> list[int | str | bytes]:
    """What `batch.lua` takes: how many keys, the keys, the calls."""
    keys = {key for job in jobs for key in job.keys}
    return [len(keys), *keys, orjson.dumps([(job.keys, job.arguments) for job in jobs])]


def _unanswered(jobs: Sequence[Job], why: str) -> None:
    for job in jobs:
        if job.answer is None:
            job.answer = Unanswered(why)


def _done(jobs: Sequence[Job]) -> None:
    for job in jobs:
        job.done()
