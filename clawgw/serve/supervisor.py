"""Several worker processes on the same listening sockets: started, watched, reloaded and stopped together."""

import logging
import math
import signal
import socket
import subprocess
from collections.abc import Callable, Mapping, Sequence

import trio
from attrs import define, field, frozen

from clawgw.config.mistakes import Mistake
from clawgw.serve.inheritance import Verb, order_line, parse_answer
from clawgw.serve.readings import Readings
from clawgw.serve.reload import Reloading
from clawgw.serve.stopping import AFTER_ALL_S, Stop

log = logging.getLogger("clawgw")

_FINE_AFTER_STOP = {0, -signal.SIGTERM, -signal.SIGKILL}


@frozen
class Crew:
    """What to run: `count` times `command`."""

    command: Sequence[str]
    environment: Mapping[str, str]
    count: int


async def supervise(
    workers: "Workers", reloading: Reloading, listeners: Sequence[socket.socket], on_ready: Callable[[], None]
) -> int:
    """Run the workers until told to stop or until one fails; the exit code."""
    async with trio.open_nursery() as nursery:
        async with trio.open_nursery() as watched:
            await workers.start(watched, [listener.fileno() for listener in listeners])
            nursery.start_soon(workers.end, listeners)
            nursery.start_soon(_begin, workers, reloading, on_ready)
        nursery.cancel_scope.cancel()
    return 1 if workers.failed else 0


async def _begin(workers: "Workers", reloading: Reloading, on_ready: Callable[[], None]) -> None:
    if not await workers.tell("serve", reloading.readings):
        on_ready()
        await reloading.run()


@define
class _Worker:
    number: int
    process: trio.Process
    answers: trio.MemoryReceiveChannel[bytes]

    def __str__(self) -> str:
        return f"worker {self.number} (process {self.process.pid})"


@define
class Workers:
    """The running crew: a `reload.Site`. `stop_s` says how long a worker may take to stop."""

    crew: Crew
    stop_s: Callable[[], float]
    stop: Stop = field(factory=Stop, init=False)
    failed: bool = field(default=False, init=False)
    _workers: list[_Worker] = field(factory=list, init=False)

    async def start(self, nursery: trio.Nursery, fds: Sequence[int]) -> None:
        """Start the processes; each is watched by a task of `nursery` to its end."""
        for number in range(1, self.crew.count + 1):
            process = await trio.lowlevel.open_process(
                list(self.crew.command),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                pass_fds=fds,
                env=self.crew.environment,
                start_new_session=True,  # a Ctrl-C in the terminal is for this process alone
            )
            said, answers = trio.open_memory_channel[bytes](math.inf)
            self._workers.append(_Worker(number, process, answers))
            nursery.start_soon(self._watch, self._workers[-1], said)

    async def tell(self, verb: Verb, readings: Readings | None = None) -> Sequence[Mistake]:
        """Give an order to every worker; all their mistakes, each once, when every worker has answered or is gone."""
        mistakes = dict[Mistake, None]()

        async def tell(worker: _Worker) -> None:
            mistakes.update(dict.fromkeys(await _ask(worker, order_line(verb, readings))))

        async with trio.open_nursery() as nursery:
            for worker in self._workers:
                nursery.start_soon(tell, worker)
        return tuple(mistakes)

    async def prepare(self, readings: Readings) -> Sequence[Mistake]:
        """In every worker."""
        return await self.tell("prepare", readings)

    async def swap(self) -> None:
        """In every worker."""
        await self.tell("swap")

    async def keep(self) -> None:
        """In every worker."""
        await self.tell("keep")

    async def end(self, listeners: Sequence[socket.socket]) -> None:
        """Once told to: ask the workers to drain, then to stop at once, then end them."""
        await self.stop.draining.wait()
        for listener in listeners:
            listener.close()
        for worker in self._workers:
            worker.process.terminate()
        with trio.move_on_after(self.stop_s()):
            await self.stop.at_once.wait()
        for worker in self._workers:
            await _stdin(worker).aclose()
        await trio.sleep(2 * AFTER_ALL_S)
        for worker in self._workers:
            worker.process.kill()

    async def _watch(self, worker: _Worker, said: trio.MemorySendChannel[bytes]) -> None:
        assert worker.process.stdout is not None  # noqa: S101 - it was asked for as a pipe
        with said:
            rest = b""
            async for data in worker.process.stdout:
                *lines, rest = (rest + data).split(b"\n")
                for line in lines:
                    said.send_nowait(line)
        code = await worker.process.wait()
        if not self.stop.draining.is_set():
            log.error("%s ended by itself (exit code %d); stopping", worker, code)
            self.failed = True
            self.stop.drain()
        elif code not in _FINE_AFTER_STOP:
            log.error("%s failed while stopping (exit code %d)", worker, code)
            self.failed = True


async def _ask(worker: _Worker, order: bytes) -> Sequence[Mistake]:
    try:
        await _stdin(worker).send_all(order)
        return parse_answer(await worker.answers.receive())
    except (trio.BrokenResourceError, trio.ClosedResourceError, trio.EndOfChannel):
        return [Mistake("server.workers", f"{worker} has ended")]


def _stdin(worker: _Worker) -> trio.abc.SendStream:
    assert worker.process.stdin is not None  # noqa: S101 - it was asked for as a pipe
    return worker.process.stdin
