"""Whether connections to upstreams leak: memory and sockets over many requests, and over streams that are cut short.

    python -m benchmarks.upstream_growth [REQUESTS] [STREAMS]

100 000 plain requests and 10 000 aborted streams where nothing else is said, 64 in flight; a line after each tenth, and
in the end what is left open. Exits with 1 where memory has grown by more than `GROWTH_MB` after the first tenth, or a
socket is left.
"""

import os
import sys
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path

import trio

from benchmarks.upstream import IN_FLIGHT, REQUEST, destination, measured, serving
from clawgw.engine.http_upstream import HttpUpstream
from clawgw.engine.upstream import Call

GROWTH_MB = 3.0
LIMIT_S = 1200


async def plain(upstream: HttpUpstream, url: str) -> None:
    """Ask and read all."""
    exchange = upstream.open(Call(destination(url), REQUEST))
    await exchange.head()
    while await exchange.receive():
        pass


async def aborted(upstream: HttpUpstream, url: str) -> None:
    """Ask for a stream, and leave after its beginning."""
    exchange = upstream.open(Call(destination(url), REQUEST))
    await exchange.head()
    exchange.abort()


async def growth(name: str, count: int, ask: Callable[[], Awaitable[None]]) -> float:
    """Print ten lines; how many MB there are more than after the first."""
    sizes = []
    for tenth in range(1, 11):
        figures = await measured(count // 10, IN_FLIGHT, ask)
        sizes.append(resident_mb())
        print(f"{name} {tenth * count // 10:8} {sizes[-1]:8.1f} MB {figures.cpu_us:8.1f} µs {sockets():5} sockets")
    return sizes[-1] - sizes[0]


def resident_mb() -> float:
    """Of this process; Linux only."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def sockets() -> int:
    """How many this process has open."""
    return sum(opened.is_socket() for opened in Path("/proc/self/fd").iterdir())


async def run(base_url: str, requests: int, streams: int) -> bool:
    """Whether nothing leaks."""
    upstream, before = HttpUpstream(), sockets()
    stream_url = f"{base_url.removesuffix('/v1')}/stream"
    grown = [
        await growth("requests", requests, partial(plain, upstream, base_url)),
        await growth("aborted ", streams, partial(aborted, upstream, stream_url)),
    ]
    await upstream.aclose()
    left = sockets() - before
    print(f"grown by {grown[0]:.1f} and {grown[1]:.1f} MB, {left} sockets left")
    return max(grown) <= GROWTH_MB and left == 0


def main() -> int:
    """Run the server beside it."""
    requests, streams = [int(text) for text in sys.argv[1:3]] or [100_000, 10_000]

    async def bounded(base_url: str) -> bool:
        with trio.fail_after(LIMIT_S):
            return await run(base_url, requests, streams)

    with serving() as base_url:
        return 0 if trio.run(bounded, base_url) else 1


if __name__ == "__main__":
    sys.exit(main())
