"""A worker process: it serves what its supervisor has read, and swaps when it is told to (`serve.inheritance`)."""

import logging
import math
import os
from collections.abc import Callable, Sequence
from contextlib import closing, suppress
from functools import partial

import trio

from clawgw.config.files import Choice
from clawgw.config.mistakes import ConfigError, Mistake
from clawgw.serve.collecting import set_aside
from clawgw.serve.inheritance import Inheritance, Order, answer_line, take_pipes
from clawgw.serve.process import ServingProcess, load_all
from clawgw.serve.reload import Site, unexpected
from clawgw.serve.server import serve_until_stopped
from clawgw.serve.stopping import Stop, obey_signals
from clawgw.serve.stores import Stores
from clawgw.serve.wiring import open_service
from clawgw.web.pages import note_state
from clawgw.web.service import Service

log = logging.getLogger("clawgw")

Orders = trio.MemoryReceiveChannel[Order]
Answer = Callable[[Sequence[Mistake]], None]
_NOTE_STATE_EVERY_S = 1.0


async def work(choice: Choice, inheritance: Inheritance) -> int:
    """Serve until told to stop; the exit code."""
    read_from, write_to = take_pipes()
    stop = Stop()
    said, orders = trio.open_memory_channel[Order](math.inf)
    async with trio.open_nursery() as nursery:
        await nursery.start(obey_signals, stop.drain, _leave_it_to_the_supervisor)
        nursery.start_soon(listen, read_from, said, stop)
        exit_code = await _work(choice, inheritance, stop, orders, partial(_answer, write_to))
        nursery.cancel_scope.cancel()
    return exit_code


async def listen(pipe: int, said: trio.MemorySendChannel[Order], stop: Stop) -> None:
    """Pass on every order, and close the pipe. Its end stops at once: the supervisor wants it, or is gone."""
    rest = b""
    async with trio.lowlevel.FdStream(pipe) as lifeline, said:
        async for data in lifeline:
            *lines, rest = (rest + data).split(b"\n")
            for line in lines:
                said.send_nowait(Order.of_line(line))
    stop.now()


async def obey(orders: Orders, site: Site, answer: Answer) -> None:
    """Carry out orders and answer each."""
    async for order in orders:
        answer(await _carry_out(order, site))


async def _carry_out(order: Order, site: Site) -> Sequence[Mistake]:
    if order.verb == "prepare":
        try:
            return await site.prepare(order.readings)
        except Exception as error:  # noqa: BLE001 - whatever it is, the old version goes on
            return [unexpected(error)]
    if order.verb == "swap":
        await site.swap(order.reloads)
    if order.verb == "keep":
        await site.keep(order.reloads)
    return ()


async def _work(choice: Choice, inheritance: Inheritance, stop: Stop, orders: Orders, answer: Answer) -> int:
    try:
        order = await orders.receive()
        loaded = load_all(choice, order.readings)
        stores = Stores.of(loaded.snapshot, inheritance.instance, inheritance.limits_fd)
    except trio.EndOfChannel:
        return 0
    except ConfigError as error:
        log.error("%s", error)  # noqa: TRY400 - the message is all there is to say
        return 2
    opened = open_service(
        loaded.snapshot, loaded.policies, inheritance.instance, stores.limits, stores.recording, stores.cache
    )
    with closing(stores):
        async with opened as (service, foundation), trio.open_nursery() as nursery:
            await nursery.start(stores.run, service.metrics)
            service.metrics.note_reloads(order.reloads)
            nursery.start_soon(obey, orders, ServingProcess(choice, service, foundation, loaded.tls), answer)
            nursery.start_soon(_note_state, service)
            fds, metrics_fds = inheritance.fds, inheritance.metrics_fds
            set_aside()
            await serve_until_stopped(service, loaded.tls, fds, stop, partial(answer, ()), metrics_fds)
            nursery.cancel_scope.cancel()
    return 0


async def _note_state(service: Service) -> None:
    """Whichever worker is asked for the metrics shows those of all."""
    while True:
        note_state(service, trio.current_time())
        await trio.sleep(_NOTE_STATE_EVERY_S)


def _answer(pipe: int, mistakes: Sequence[Mistake]) -> None:
    with suppress(BrokenPipeError):  # the end of the other pipe says the same
        os.write(pipe, answer_line(mistakes))


def _leave_it_to_the_supervisor() -> None:
    """SIGHUP is for the process that reads the files."""
