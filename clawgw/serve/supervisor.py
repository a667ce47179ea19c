"""Several worker processes on the same listening sockets, started, watched and stopped together."""

import logging
import os
import signal
import socket
import subprocess
from collections.abc import Callable, Mapping, Sequence

import trio
from attrs import define, field, frozen

from clawgw.serve.inheritance import READY
from clawgw.serve.stopping import AFTER_ALL_S, Stop, obey_signals

log = logging.getLogger("clawgw")

_FINE_AFTER_STOP = {0, -signal.SIGTERM, -signal.SIGKILL}


@frozen
class Crew:
    """What to run: `count` times `command`. A worker takes at most `stop_s` seconds to stop."""

    command: Sequence[str]
    environment: Mapping[str, str]
    count: int
    stop_s: float


async def supervise(crew: Crew, listeners: Sequence[socket.socket], on_ready: Callable[[], None]) -> int:
    """Run the workers until told to stop or until one fails; the exit code."""
    pool = _Pool(crew, on_ready)
    async with trio.open_nursery() as nursery:
        await nursery.start(obey_signals, pool.stop.ask)
        async with trio.open_nursery() as workers:
            await pool.start(workers, [listener.fileno() for listener in listeners])
            nursery.start_soon(pool.end, listeners)
        nursery.cancel_scope.cancel()
    return 1 if pool.failed else 0


@define
class _Worker:
    number: int
    process: trio.Process
    ready: bool = False


@define
class _Pool:
    crew: Crew
    on_ready: Callable[[], None]
    stop: Stop = field(factory=Stop)
    workers: list[_Worker] = field(factory=list)
    failed: bool = False
    _lifeline: int = -1
    """The write end of a pipe that is every worker's standard input; its end tells them to stop at once."""

    async def start(self, nursery: trio.Nursery, fds: Sequence[int]) -> None:
        read_end, self._lifeline = os.pipe()
        for number in range(1, self.crew.count + 1):
            process = await trio.lowlevel.open_process(
                list(self.crew.command),
                stdin=read_end,
                stdout=subprocess.PIPE,
                pass_fds=fds,
                env=self.crew.environment,
                start_new_session=True,  # a Ctrl-C in the terminal is for this process alone
            )
            self.workers.append(_Worker(number, process))
        os.close(read_end)
        for worker in self.workers:
            nursery.start_soon(self._watch, worker)

    async def end(self, listeners: Sequence[socket.socket]) -> None:
        """Once told to: ask the workers to drain, then to stop at once, then end them."""
        await self.stop.draining.wait()
        for listener in listeners:
            listener.close()
        for worker in self.workers:
            worker.process.terminate()
        with trio.move_on_after(self.crew.stop_s):
            await self.stop.at_once.wait()
        os.close(self._lifeline)
        await trio.sleep(2 * AFTER_ALL_S)
        for worker in self.workers:
            worker.process.kill()

    async def _watch(self, worker: _Worker) -> None:
        assert worker.process.stdout is not None  # noqa: S101 - it was asked for as a pipe
        async for said in worker.process.stdout:
            self._note_ready(worker, bytes(said))
        code = await worker.process.wait()
        if not self.stop.draining.is_set():
            log.error("worker %d (process %d) ended by itself (exit code %d); stopping", *_names(worker), code)
            self.failed = True
            self.stop.drain()
        elif code not in _FINE_AFTER_STOP:
            log.error("worker %d (process %d) failed while stopping (exit code %d)", *_names(worker), code)
            self.failed = True

    def _note_ready(self, worker: _Worker, said: bytes) -> None:
        worker.ready = worker.ready or READY in said
        if all(each.ready for each in self.workers):
            self.on_ready()


def _names(worker: _Worker) -> tuple[int, int]:
    return worker.number, worker.process.pid
