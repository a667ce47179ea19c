"""The way to Redis: what waits at the same time goes out together and comes back together.

A job goes out at once where hardly anything is under way: so a question need not wait behind what was told before it.
Those that come meanwhile go with the next answer, or as soon as they are many: then Redis works at some while this
process does at others. One that has time goes with the next that has not, or when somebody says so: each sending wakes
Redis, which may then run first. Nobody waits here; whoever hands in a job decides for how long.
"""

import logging
from collections import deque
from collections.abc import Iterable, Sequence
from functools import partial
from time import perf_counter
from typing import Any

import hiredis
import trio
from attrs import define, field, frozen
from redis.exceptions import NoScriptError, RedisError

from clawgw.limits.redis.connection import connection, reason
from clawgw.limits.redis.line import Line
from clawgw.limits.redis.scripts import Script

log = logging.getLogger("clawgw")

BATCH = 32
"""So many calls at most for one run of a script, during which Redis does nothing else."""
FEW = 2
"""So many runs are under way before calls wait for each other."""


@frozen
class Unanswered:
    """Whether the script ran is not known."""

    reason: str


Answer = Any | Unanswered
"""What a script returned, or why not."""


@define(eq=False)
class Job:
    """A call of a script: the keys that it names, and what it is told, as its Lua says."""

    script: Script
    keys: Sequence[bytes]
    call: bytes
    abandoned: bool = field(default=False, init=False)
    """Nobody waits any more: it need not be sent."""
    answer: Answer = field(default=None, init=False)

    def done(self) -> None:
        """It has its answer. Does not raise."""


class Link:
    """It carries jobs while `run` does; what is left then, `finish` carries."""

    def __init__(self, url: str, read_s: float) -> None:
        """As `connection`; `read_s` is for connecting. Raises `BadRedisUrl`."""
        self._url, self._read_s = url, read_s
        connection(url, read_s)
        self._line: Line | None = None
        self._known: set[Script] = set()
        """What Redis has been told in full over this line."""
        self._waiting: deque[Job] = deque()
        self._sent: deque[tuple[Script, Sequence[Job]]] = deque()
        self._wanted, self._over = trio.Event(), trio.Event()
        self._finishing = False
        self._owes_since: float | None = None

    @property
    def silent_s(self) -> float:
        """For how long Redis has been asked something and has said nothing."""
        return 0.0 if self._owes_since is None else perf_counter() - self._owes_since

    def submit(self, job: Job) -> None:
        """It goes out now, and what was posted before it."""
        self._waiting.append(job)
        if self._line is None:
            self._wanted.set()
        else:
            self._send(self._line)

    def post(self, job: Job) -> None:
        """It goes out with the next that is submitted, or when `flush` is called."""
        self._waiting.append(job)
        self._wanted.set()

    def flush(self) -> None:
        """What was posted goes out now, or with the answer that is under way."""
        if self._waiting and not self._sent and self._line is not None:
            self._send(self._line)

    def check(self, patience_s: float) -> None:
        """Say what there is to say, and hear what there is to hear; after silence for so long, hang up."""
        self.flush()
        line = self._line
        if line is not None and self.silent_s >= patience_s:
            self._receive(line)
            if self._line is line and self.silent_s >= patience_s:
                self._hang_up("TimeoutError")

    async def run(self) -> None:
        """Until cancelled; the line stays open for `finish`."""
        self._finishing = False
        while True:
            await self._wanted.wait()
            await self._talk()

    async def finish(self) -> None:
        """After `run`: carry what is left, until something fails, and hang up."""
        self._finishing = True
        try:
            while self._waiting or self._sent:
                await self._talk()
        finally:
            self._hang_up("Closing")

    async def _talk(self) -> None:
        """Over one line, a new one if need be."""
        if self._line is None:
            self._owes_since = perf_counter()
            try:
                self._line = await trio.to_thread.run_sync(self._open, abandon_on_cancel=True)
            except Exception as error:  # noqa: BLE001 - whatever it is, those who wait hear of it
                return self._hang_up(reason(error))
            self._owes_since, self._over = None, trio.Event()
            self._line.watch(partial(self._receive, self._line))
        self._send(self._line)
        self._end_if_done()
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._push, self._line)
            await self._over.wait()
            nursery.cancel_scope.cancel()
        return None

    def _open(self) -> Line:
        return Line(connection(self._url, self._read_s))

    async def _push(self, line: Line) -> None:
        try:
            await line.push()
        except trio.ClosedResourceError:
            log.debug("limits: the line to Redis was closed")

    def _receive(self, line: Line) -> None:
        if self._line is not line:
            return None
        try:
            answers = line.receive()
            for answer in answers:
                self._deliver(*self._sent[0], answer)
                self._sent.popleft()
        except Exception as error:  # noqa: BLE001 - whatever it is, those who wait hear of it
            return self._hang_up(reason(error))
        if answers:
            self._owes_since = perf_counter() if self._sent else None
            self._send(line)
            self._end_if_done()
        return None

    def _end_if_done(self) -> None:
        if self._finishing and not self._sent:
            self._over.set()

    def _deliver(self, script: Script, jobs: Sequence[Job], answer: Any) -> None:
        if isinstance(answer, NoScriptError):
            self._known.discard(script)
            self._waiting.extendleft(reversed(jobs))
        elif isinstance(answer, RedisError):
            _done(jobs, [Unanswered(reason(answer))] * len(jobs))
        else:
            _done(jobs, [Unanswered(reason(one)) if isinstance(one, RedisError) else one for one in answer])

    def _hang_up(self, why: str) -> None:
        """Whoever has been waiting hears why."""
        if self._line is not None:
            self._line.close()
        jobs = [job for _, jobs in self._sent for job in jobs] + list(self._waiting)
        self._line, self._owes_since, self._wanted = None, None, trio.Event()
        self._known.clear()
        self._sent.clear()
        self._waiting.clear()
        self._over.set()
        _done(jobs, [Unanswered(why)] * len(jobs))

    def _send(self, line: Line) -> None:
        while self._waiting and (len(self._sent) < FEW or len(self._waiting) >= BATCH):
            jobs = [self._waiting.popleft() for _ in range(min(BATCH, len(self._waiting)))]
            calls: dict[Script, list[Job]] = {}
            for job in jobs:
                if not job.abandoned:
                    calls.setdefault(job.script, []).append(job)
            if calls:
                if not self._sent:
                    self._owes_since = perf_counter()
                self._sent.extend(calls.items())
                line.send(b"".join([self._command(script, jobs) for script, jobs in calls.items()]))

    def _command(self, script: Script, jobs: Sequence[Job]) -> bytes:
        """As `batch.lua` takes it. A script is told in full once, and then by its digest."""
        keys = dict.fromkeys([key for job in jobs for key in job.keys])
        how, what = ("EVALSHA", script.digest) if script in self._known else ("EVAL", script.source)
        self._known.add(script)
        command = how, what, len(keys), *keys, *[job.call for job in jobs]
        packed: bytes = hiredis.pack_command(command)  # type: ignore[arg-type]  # declared for one word, and as Any
        return packed


def _done(jobs: Iterable[Job], answers: Iterable[Answer]) -> None:
    for job, answer in zip(jobs, answers, strict=True):
        job.answer = answer
        job.done()
