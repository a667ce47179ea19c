"""What the door costs a request: HTTP/1.1 on our connections beside hypercorn's, with the same endpoints behind both.

    python -m benchmarks.server [SECONDS] [--profile]

Behind the endpoints is nothing but a made-up answer. Each server is a process of its own on one core; rounds alternate.
Ratios and the processor's time count, for the machine may be busy. `--profile`: where ours spends it.
"""

import argparse
import cProfile
import multiprocessing
import pstats
import statistics
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from multiprocessing.connection import Connection
from pathlib import Path

import hypercorn.trio.run
import trio
from attrs import frozen
from hypercorn.trio.tcp_server import TCPServer

from benchmarks.peers.compiled import compile_programs
from benchmarks.peers.load import Load, apply
from benchmarks.peers.machine import on, usable_cores
from benchmarks.peers.messages import PLAIN, answer, burst, request
from benchmarks.peers.processes import reading
from clawgw.config.addresses import Bind
from clawgw.engine.arrival import Arrival
from clawgw.gateway import PlainAnswer
from clawgw.serve import server
from clawgw.serve.listeners import bound, open_listeners
from clawgw.web.app import build_app
from clawgw.web.service import OpenAnswer
from clawgw.wire.request import EmbeddingsRequest, Request
from tests.web.serving import FakeStream, service

ROUNDS = 5
EVENTS = 50
PIECE = b'data: {"choices":[{"index":0,"delta":{"content":"~tok~"}}]}\n\n'
BODY = answer()
HEADERS = {"x-clawgw-provider": "openai", "x-clawgw-model": "gpt-4o", "x-clawgw-attempts": "1"}


@frozen
class Way:
    """What is asked, and how many at a time."""

    raw: bytes
    in_flight: int
    tokens: int


WAYS: Mapping[str, Way] = {
    "plain, 64 in flight": Way(request(PLAIN, "m", {}), 64, 1),
    "plain, one at a time": Way(request(PLAIN, "m", {}), 1, 1),
    f"streams of {EVENTS} writes, 64 in flight": Way(request(burst(EVENTS), "m", {}), 64, EVENTS),
}


async def answer_at_once(asked: Request, _arrival: Arrival) -> PlainAnswer | OpenAnswer:
    """The whole gateway."""
    if not isinstance(asked, EmbeddingsRequest) and asked.stream:
        return FakeStream([PIECE] * EVENTS, headers=HEADERS)
    return PlainAnswer(HEADERS, BODY)


async def run(ready: Connection, *, ours: bool) -> None:
    """Serve until told to end."""
    (listener,) = open_listeners([Bind("127.0.0.1", 0)])
    port, chosen = bound(listener).port, service(answer_at_once)
    config = server.hypercorn_config(chosen.snapshot.settings.server, [listener.detach()], None)
    if not ours:
        hypercorn.trio.run.TCPServer = TCPServer  # type: ignore[attr-defined] # back in its place
    async with trio.open_nursery() as nursery:
        await nursery.start(server.serve, build_app(chosen), config, trio.sleep_forever)
        ready.send(port)
        await trio.to_thread.run_sync(ready.recv, abandon_on_cancel=True)
        nursery.cancel_scope.cancel()


def serve(ready: Connection, ours: bool, profiled: bool) -> None:  # noqa: FBT001 - positional for a process
    """One server's process."""
    profile = cProfile.Profile()
    (profile.runcall if profiled else _call)(trio.run, lambda: run(ready, ours=ours))
    if profiled:
        pstats.Stats(profile).sort_stats("tottime").print_stats(45)


def _call(run: Callable[..., None], *arguments: object) -> None:
    run(*arguments)


@contextmanager
def started(core: int, *, ours: bool, profiled: bool = False) -> Iterator[tuple[int, int]]:
    """Its process and port."""
    here, there = multiprocessing.Pipe()
    process = multiprocessing.get_context("spawn").Process(target=serve, args=(there, ours, profiled))
    with on(core):
        process.start()
    try:
        yield process.pid or 0, here.recv()
    finally:
        here.send("end")
        process.join()


def compare(load: Path, seconds: float) -> None:
    """Print all figures."""
    cores = usable_cores()
    with started(cores[-1], ours=True) as own, started(cores[-1], ours=False) as hypercorns:
        for name, way in WAYS.items():
            rates: dict[str, list[tuple[float, float]]] = {"ours": [], "hypercorn's": []}
            for _ in range(ROUNDS):
                for who, (process, port) in zip(rates, (own, hypercorns), strict=True):
                    rates[who].append(measure(load, cores[0], process, port, way, seconds))
            for who, figures in rates.items():
                a_second, cpu = (statistics.median(column) for column in zip(*figures, strict=True))
                print(f"{name:35} {who:12} {a_second:8.0f} answers/s {cpu:8.0f} µs of the processor's an answer")


def measure(load: Path, core: int, process: int, port: int, way: Way, seconds: float) -> tuple[float, float]:
    """Answers a second, and the processor's time of one in µs."""
    before = reading(process).cpu_s
    result = apply(load, core, port, way.raw, Load(way.in_flight, seconds), way.tokens)
    return result.answers / result.seconds, (reading(process).cpu_s - before) * 1e6 / result.answers


def main() -> None:
    """Measure."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.server")
    parser.add_argument("seconds", type=float, nargs="?", default=3)
    parser.add_argument("--profile", action="store_true")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        load = compile_programs(Path(folder)).load
        if not given.profile:
            compare(load, given.seconds)
            return
        cores = usable_cores()
        with started(cores[-1], ours=True, profiled=True) as (process, port):
            measure(load, cores[0], process, port, WAYS["plain, 64 in flight"], given.seconds)


if __name__ == "__main__":
    main()
