"""Requests a second through `HttpUpstream`, against httpx as it comes: plain answers over loopback, 64 in flight.

    python -m benchmarks.upstream [REQUESTS]

The server is a process of its own that answers every body with the same bytes. Absolute figures depend on the machine;
the ratio is what counts.
"""

import multiprocessing
import sys
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection

import httpx
import trio

from clawgw.engine.http_upstream import HttpUpstream
from clawgw.engine.upstream import Call

IN_FLIGHT = 64
LIMIT_S = 120
REQUEST = b'{"model":"m","messages":[{"role":"user","content":"%s"}]}' % (b"x" * 1000)
BODY = (
    b'{"id":"c","object":"chat.completion","created":1,"model":"m",'
    b'"choices":[{"index":0,"message":{"role":"assistant","content":"%s"},"finish_reason":"stop"}]}' % (b"y" * 300)
)
ANSWER = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n%s" % (len(BODY), BODY)


def serve(ready: Connection) -> None:
    """Answer until killed."""

    async def answer(stream: trio.SocketStream) -> None:
        try:
            while data := await stream.receive_some():
                if data.endswith(b"}"):
                    await stream.send_all(ANSWER)
        except trio.BrokenResourceError:
            pass

    async def main() -> None:
        listeners = await trio.open_tcp_listeners(0, host="127.0.0.1")
        ready.send(listeners[0].socket.getsockname()[1])
        await trio.serve_listeners(answer, listeners)

    trio.run(main)


async def rate(count: int, call: Callable[[], Awaitable[object]]) -> float:
    """Calls a second, with `IN_FLIGHT` at a time."""
    left = count

    async def work() -> None:
        nonlocal left
        while left > 0:
            left -= 1
            await call()

    started = time.perf_counter()
    async with trio.open_nursery() as nursery:
        for _ in range(IN_FLIGHT):
            nursery.start_soon(work)
    return count / (time.perf_counter() - started)


async def compare(url: str, count: int) -> None:
    """Print both rates and their ratio."""
    call = Call(url, {"content-type": "application/json"}, REQUEST, connect_s=5, allow_private_network=True)
    upstream = HttpUpstream()

    async def ours() -> None:
        exchange = upstream.open(call)
        await exchange.head()
        while await exchange.receive():
            pass

    async with httpx.AsyncClient(trust_env=False) as client:

        async def stock() -> None:
            await client.post(url, headers={"content-type": "application/json"}, content=REQUEST)

        for one in (ours, stock):
            await rate(2 * IN_FLIGHT, one)
        figures = await rate(count, ours), await rate(count, stock)
    await upstream.aclose()
    print(f"HttpUpstream {figures[0]:.0f}/s, httpx {figures[1]:.0f}/s, ratio {figures[0] / figures[1]:.2f}")


@contextmanager
def serving() -> Iterator[str]:
    """The server beside the caller; its base URL."""
    here, there = multiprocessing.Pipe()
    server = multiprocessing.get_context("spawn").Process(target=serve, args=(there,), daemon=True)
    server.start()
    try:
        yield f"http://127.0.0.1:{here.recv()}/v1"
    finally:
        server.kill()


def main() -> None:
    """Run the server beside the comparison."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 5000

    async def bounded(url: str) -> None:
        with trio.fail_after(LIMIT_S):
            await compare(url, count)

    with serving() as base_url:
        trio.run(bounded, f"{base_url}/chat/completions")


if __name__ == "__main__":
    main()
