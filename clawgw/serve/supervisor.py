"""Several worker processes on the same listening sockets: started, replaced, reloaded and stopped together."""

import logging
import signal
import socket
from collections.abc import Callable, Sequence

import trio
from attrs import define, field

from clawgw.config.mistakes import Mistake
from clawgw.serve.crew import Crew, Worker
from clawgw.serve.inheritance import Order
from clawgw.serve.readings import Readings
from clawgw.serve.reload import Reloading
from clawgw.serve.stopping import AFTER_ALL_S, Stop, drain_limit_s
from clawgw.web.exposition import Reloads, forget_process

log = logging.getLogger("clawgw")

ANSWER_S = 30.0
"""A worker that has not carried out an order by then never will."""
BEAT_S = 5.0
"""One that has done nothing at all for so long hangs."""
BEAT_EVERY_S = 1.0
REPLACE_AFTER_S = 1.0
"""Twice as much after the next one, and so on: those that cannot live shall not take the machine from the others."""
REPLACE_AFTER_AT_MOST_S = 30.0
LASTING_S = 60.0
"""One that has lasted so long could live."""
_BAD_CONFIGURATION = 2
"""The exit code of a worker that says so."""
_FINE_AFTER_STOP = {0, -signal.SIGTERM, -signal.SIGKILL}


@define
class Supervisor:
    """A `reload.Site` of several processes.

    Where a worker ends by itself before all of them serve, all are stopped; one that ends later is replaced.
    """

    crew: Crew
    reloading: Reloading
    stop: Stop
    _workers: list[Worker] = field(init=False, factory=list)
    _ready: bool = field(init=False, default=False)
    _exit_code: int = field(init=False, default=0)

    async def run(self, listeners: Sequence[socket.socket], on_ready: Callable[[], None]) -> int:
        """Until told to stop, or until the start fails; the exit code."""
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._end, listeners)
            async with trio.open_nursery() as employed:
                for number in range(1, self.crew.count + 1):
                    employed.start_soon(self._employ, await self._start(number))
                nursery.start_soon(self._begin, on_ready)
            nursery.cancel_scope.cancel()
        return self._exit_code

    async def prepare(self, readings: Readings) -> Sequence[Mistake]:
        """In every worker."""
        return await self._tell(Order("prepare", readings), ANSWER_S)

    async def swap(self, reloads: Reloads) -> None:
        """In every worker."""
        await self._tell(Order("swap", reloads=reloads), ANSWER_S)

    async def keep(self, reloads: Reloads) -> None:
        """In every worker."""
        await self._tell(Order("keep", reloads=reloads), ANSWER_S)

    async def _begin(self, on_ready: Callable[[], None]) -> None:
        if not await self._tell(self._first_order(), ANSWER_S):
            self._ready = True
            on_ready()
            async with trio.open_nursery() as nursery:
                nursery.start_soon(self.reloading.run, self)
                nursery.start_soon(self._feel_pulses)

    async def _feel_pulses(self) -> None:
        """End whoever hangs, a policy that cannot be stopped being the likely reason."""
        while True:
            with trio.move_on_after(BEAT_EVERY_S):
                await self.stop.draining.wait()
                return
            async with self.reloading.at_rest:
                await self._tell(Order("beat"), BEAT_S)

    def _first_order(self) -> Order:
        return Order("serve", self.reloading.served, self.reloading.reloads)

    async def _tell(self, order: Order, within_s: float) -> Sequence[Mistake]:
        """All their mistakes, each once, when every worker has answered or is gone."""
        mistakes = dict[Mistake, None]()

        async def tell(worker: Worker) -> None:
            mistakes.update(dict.fromkeys(await worker.ask(order, within_s)))

        async with trio.open_nursery() as nursery:
            for worker in self._workers:
                nursery.start_soon(tell, worker)
        return tuple(mistakes)

    async def _start(self, number: int) -> Worker:
        worker = await Worker.start(self.crew, number)
        self._workers.append(worker)
        if self.stop.draining.is_set():  # too late for `_end` to see it
            worker.process.terminate()
        return worker

    async def _employ(self, worker: Worker | None) -> None:
        """See a worker to its end, and those that take its place."""
        pause_s = REPLACE_AFTER_S
        while worker is not None:
            began = trio.current_time()
            code = await worker.wait()
            self._workers.remove(worker)
            forget_process(self.crew.metrics_dir, worker.process.pid)
            self._judge(worker, code)
            if trio.current_time() - began > LASTING_S:
                pause_s = REPLACE_AFTER_S
            worker = await self._replacement(worker.number, pause_s)
            pause_s = min(2 * pause_s, REPLACE_AFTER_AT_MOST_S)

    def _judge(self, worker: Worker, code: int) -> None:
        if self.stop.draining.is_set():
            if code not in _FINE_AFTER_STOP:
                log.error("%s failed while stopping (exit code %d)", worker, code)
                self._exit_code = self._exit_code or 1
        elif self._ready:
            log.error("%s ended (exit code %d); another takes its place", worker, code)
        else:
            log.error("%s ended (exit code %d); stopping", worker, code)
            self._exit_code = _BAD_CONFIGURATION if code == _BAD_CONFIGURATION else 1
            self.stop.drain()

    async def _replacement(self, number: int, pause_s: float) -> Worker | None:
        """Another worker after a pause, serving what is served then; None: all are stopping."""
        with trio.move_on_after(pause_s):
            await self.stop.draining.wait()
        async with self.reloading.at_rest:
            if self.stop.draining.is_set():
                return None
            worker = await self._start(number)
            await worker.ask(self._first_order(), ANSWER_S)  # where that fails it has ended, and is replaced in turn
            return worker

    async def _end(self, listeners: Sequence[socket.socket]) -> None:
        """Once told to: have the workers drain, then stop at once, then end them."""
        await self.stop.draining.wait()
        for listener in listeners:
            listener.close()
        for worker in self._workers:
            worker.process.terminate()
        with trio.move_on_after(drain_limit_s(self.reloading.snapshot.settings.server) + 2 * AFTER_ALL_S):
            await self.stop.at_once.wait()
        for worker in [*self._workers]:
            await worker.stop_at_once()
        await trio.sleep(2 * AFTER_ALL_S)
        for worker in self._workers:
            worker.process.kill()
