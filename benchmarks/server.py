"""What the door costs a request: HTTP/1.1 on our connections beside hypercorn's, with the same endpoints behind both.

    python -m benchmarks.server [SECONDS] [--profile | --soak]

Behind the endpoints is nothing but a made-up answer. Each server is a process of its own on one core; rounds alternate.
Ratios and the processor's time count, for the machine may be busy. `--profile`: where ours spends it; `--soak`: what it
holds after 100 000 requests, and after 10 000 clients that left in the middle of a stream.
"""

import argparse
import cProfile
import multiprocessing
import pstats
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from multiprocessing.connection import Connection
from pathlib import Path

import hypercorn.trio.run
import trio
from attrs import define, frozen
from hypercorn.trio.tcp_server import TCPServer

from benchmarks.peers.compiled import compile_programs
from benchmarks.peers.load import Load, apply
from benchmarks.peers.machine import on, usable_cores
from benchmarks.peers.messages import DRIP, PLAIN, answer, burst, request
from benchmarks.peers.processes import reading
from clawgw.config.addresses import Bind
from clawgw.engine.arrival import Arrival
from clawgw.engine.live import Live
from clawgw.gateway import PlainAnswer
from clawgw.serve import server
from clawgw.serve.listeners import bound, open_listeners
from clawgw.web.app import build_app
from clawgw.web.service import OpenAnswer
from clawgw.wire.request import EmbeddingsRequest, Request
from tests.web.serving import FakeStream, service

ROUNDS = 5
EVENTS = 50
SOAK_S = 300.0
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
        endless = DRIP.sign in asked.body["messages"][0]["content"]
        return FakeStream([PIECE] if endless else [PIECE] * EVENTS, endless=endless, headers=HEADERS)
    return PlainAnswer(HEADERS, BODY)


@define
class Forgetful:
    """The gateway, which keeps nothing."""

    live: Live

    async def answer(self, asked: Request, arrival: Arrival) -> PlainAnswer | OpenAnswer:
        """See `answer_at_once`."""
        return await answer_at_once(asked, arrival)


async def run(ready: Connection, *, ours: bool) -> None:
    """Serve until told to end."""
    (listener,) = open_listeners([Bind("127.0.0.1", 0)])
    port, chosen = bound(listener).port, service(answer_at_once)
    chosen.gateway = Forgetful(chosen.gateway.live)
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


def soak(load: Path) -> None:
    """Print what ours holds."""
    cores = usable_cores()
    plain, leaving = WAYS["plain, 64 in flight"].raw, request(DRIP, "m", {})
    with started(cores[-1], ours=True) as (process, port):

        def say(after: str) -> None:
            time.sleep(1)
            held = reading(process)
            print(f"{after:45} {held.rss_mib:6.1f} MiB {held.fds:4} open files")

        say("at the start")
        for count in (10_000, 90_000):
            apply(load, cores[0], port, plain, Load(64, SOAK_S, count), 1)
            say(f"{count} requests later")
        left = apply(load, cores[0], port, leaving, Load(64, SOAK_S, 10_000, leave=True), 1).left
        say(f"{left} clients that left a stream later")


def main() -> None:
    """Measure."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.server")
    parser.add_argument("seconds", type=float, nargs="?", default=3)
    how = parser.add_mutually_exclusive_group()
    how.add_argument("--profile", action="store_true")
    how.add_argument("--soak", action="store_true")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        load = compile_programs(Path(folder)).load
        if given.soak:
            soak(load)
            return
        if not given.profile:
            compare(load, given.seconds)
            return
        cores = usable_cores()
        with started(cores[-1], ours=True, profiled=True) as (process, port):
            measure(load, cores[0], process, port, WAYS["plain, 64 in flight"], given.seconds)


if __name__ == "__main__":
    main()
