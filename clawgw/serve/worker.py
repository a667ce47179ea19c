"""A worker process: it serves what its supervisor has read, and swaps when it is told to (`serve.inheritance`)."""

import logging
import math
import os
import sys
from collections.abc import Sequence
from functools import partial

import trio

from clawgw.config.files import Choice
from clawgw.config.mistakes import ConfigError, Mistake
from clawgw.serve.inheritance import Inheritance, answer_line, parse_order
from clawgw.serve.process import ServingProcess, load_all
from clawgw.serve.reload import Site, failure
from clawgw.serve.server import serve_until_stopped
from clawgw.serve.stopping import Stop, obey_signals
from clawgw.serve.wiring import open_service
from clawgw.web.pages import breakers
from clawgw.web.service import Service

log = logging.getLogger("clawgw")

Orders = trio.MemoryReceiveChannel[bytes]
_NOTE_BREAKERS_EVERY_S = 1.0


async def work(choice: Choice, inheritance: Inheritance) -> int:
    """Serve until told to stop; the exit code."""
    stop = Stop()
    said, orders = trio.open_memory_channel[bytes](math.inf)
    async with trio.open_nursery() as nursery:
        await nursery.start(obey_signals, stop.drain, _leave_it_to_the_supervisor)
        nursery.start_soon(listen, stop, said)
        exit_code = await _work(choice, inheritance, stop, orders)
        nursery.cancel_scope.cancel()
    return exit_code


async def listen(stop: Stop, said: trio.MemorySendChannel[bytes], fd: int = 0) -> None:
    """Pass on every line of the standard input. Its end stops at once: the supervisor wants it, or is gone."""
    rest = b""
    async with trio.lowlevel.FdStream(os.dup(fd)) as lifeline, said:
        async for data in lifeline:
            *lines, rest = (rest + data).split(b"\n")
            for line in lines:
                said.send_nowait(line)
    stop.now()


async def obey(orders: Orders, site: Site) -> None:
    """Carry out orders and answer each."""
    async for line in orders:
        verb, readings = parse_order(line)
        mistakes: Sequence[Mistake] = ()
        if verb == "prepare":
            try:
                mistakes = await site.prepare(readings)
            except Exception as error:  # noqa: BLE001 - whatever it is, the old version goes on
                mistakes = failure(error)
        else:
            await (site.swap() if verb == "swap" else site.keep())
        _answer(mistakes)


async def _work(choice: Choice, inheritance: Inheritance, stop: Stop, orders: Orders) -> int:
    try:
        _, readings = parse_order(await orders.receive())
        loaded = load_all(choice, readings)
    except trio.EndOfChannel:
        return 0
    except ConfigError as error:
        log.error("%s", error)  # noqa: TRY400 - the message is all there is to say
        return 2
    opened = open_service(loaded.snapshot, loaded.policies, inheritance.instance)
    async with opened as (service, foundation), trio.open_nursery() as nursery:
        nursery.start_soon(obey, orders, ServingProcess(choice, service, foundation, loaded.tls))
        nursery.start_soon(_note_breakers, service)
        await serve_until_stopped(service, loaded.tls, inheritance.fds, stop, partial(_answer, ()))
        nursery.cancel_scope.cancel()
    return 0


async def _note_breakers(service: Service) -> None:
    """Whichever worker is asked for the metrics shows those of all."""
    while True:
        service.metrics.note_breakers(breakers(service, trio.current_time()))
        await trio.sleep(_NOTE_BREAKERS_EVERY_S)


def _answer(mistakes: Sequence[Mistake]) -> None:
    os.write(sys.stdout.fileno(), answer_line(mistakes))


def _leave_it_to_the_supervisor() -> None:
    """SIGHUP is for the process that reads the files."""
