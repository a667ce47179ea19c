"""What a request and a stream cost on our connections to upstreams, beside httpx as it comes.

    python -m benchmarks.upstream [REQUESTS]

Three ways to ask the same server, over loopback, in clear and with TLS: `HttpUpstream`, httpx on the same pool
(`PoolTransport`), and httpx on its own. 64 plain answers or 16 streams are in flight. They take turns, five rounds; the
tables have the medians. The server is a process of its own that answers with the same bytes always. Client and server
have a core each where the system lets them. CPU time is the client's and the system's on its behalf; absolute figures
depend on the machine.
"""

import multiprocessing
import os
import selectors
import socket
import ssl
import statistics
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import cache, partial
from multiprocessing.connection import Connection

import httpx
import trio
from attrs import define, frozen

from clawgw.engine.http_upstream import HttpUpstream
from clawgw.engine.upstream import Call, Destination
from clawgw.http1.httpx_transport import PoolTransport
from tests.certificates import authority, client_context

ROUNDS = 5
IN_FLIGHT = 64
STREAMS_IN_FLIGHT = 16
EVENTS = 200
LIMIT_S = 600
CONNECT_S = 60
"""Many connect at once, to a server that takes one after the other."""
REQUEST = b'{"model":"m","messages":[{"role":"user","content":"%s"}]}' % (b"x" * 1000)
HEADERS = {"content-type": "application/json", "authorization": f"Bearer sk-{'0' * 40}"}
BODY = (
    b'{"id":"c","object":"chat.completion","created":1,"model":"m",'
    b'"choices":[{"index":0,"message":{"role":"assistant","content":"%s"},"finish_reason":"stop"}]}' % (b"y" * 300)
)
ANSWER = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n%s" % (len(BODY), BODY)
EVENT = b'data: {"id":"c","object":"chat.completion.chunk","choices":[{"index":0,"delta":{"content":"token"}}]}\n\n'
STREAM = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n%b0\r\n\r\n" % (
    b"%x\r\n%b\r\n" % (len(EVENT), EVENT) * EVENTS
)

Ask = Callable[[str], Awaitable[int]]
"""Ask for a URL; how many bytes of a body came."""


@frozen
class Figures:
    """Of one round: requests or streams a second, and µs of CPU time for each."""

    rate: float
    cpu_us: float


def serve(ready: Connection, certificate: bytes | None) -> None:
    """Answer until killed: a stream where the path says so, else a completion. `certificate` has its key with it."""
    _pin(-1)
    tls = None if certificate is None else _context(certificate)
    listener = socket.create_server(("127.0.0.1", 0), backlog=1024)
    ready.send(listener.getsockname()[1])
    selector = selectors.DefaultSelector()
    selector.register(listener, selectors.EVENT_READ)
    while True:
        for key, _ in selector.select():
            if key.data is None:
                with suppress(OSError):  # who gives up during the handshake
                    peer = _accepted(listener, tls)
                    selector.register(peer, selectors.EVENT_READ, _Peer(peer))
            elif not key.data.is_served():
                selector.unregister(key.data.socket)
                key.data.socket.close()


def _accepted(listener: socket.socket, tls: ssl.SSLContext | None) -> socket.socket:
    peer = listener.accept()[0]
    peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return peer if tls is None else tls.wrap_socket(peer, server_side=True)


@define
class _Peer:
    """Who asks. A request may come in parts; its last byte ends the JSON of its body."""

    socket: "socket.socket"
    answer: bytes | None = None

    def is_served(self) -> bool:
        """Read, and answer what is whole; False: the peer has left."""
        try:
            data = self.socket.recv(65536)
            self.answer = self.answer or (STREAM if data.startswith(b"POST /stream") else ANSWER)
            if data.endswith(b"}"):
                self.socket.sendall(self.answer)
                self.answer = None
        except OSError:
            return False
        return bool(data)


def _context(certificate: bytes) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with tempfile.NamedTemporaryFile() as file:
        file.write(certificate)
        file.flush()
        context.load_cert_chain(file.name)
    return context


def _pin(core: int) -> None:
    """Stay on one core, counted from the first or, below zero, from the last."""
    if hasattr(os, "sched_setaffinity"):
        with suppress(OSError):  # it is not ours to use
            os.sched_setaffinity(0, {core % (os.cpu_count() or 1)})


async def measured(count: int, in_flight: int, ask: Callable[[], Awaitable[object]]) -> Figures:
    """Ask so many times, with `in_flight` at a time."""
    left = count

    async def work() -> None:
        nonlocal left
        while left > 0:
            left -= 1
            await ask()

    started, cpu = time.perf_counter(), time.process_time()
    async with trio.open_nursery() as nursery:
        for _ in range(in_flight):
            nursery.start_soon(work)
    cpu_us = (time.process_time() - cpu) / count * 1e6
    return Figures(count / (time.perf_counter() - started), cpu_us)


@cache
def destination(url: str) -> Destination:
    """One object for all calls, as the gateway has it."""
    return Destination(url, HEADERS, CONNECT_S, allow_private_network=True)


async def compare(base_url: str, count: int) -> None:
    """Print a line for each way to ask."""
    upstream = HttpUpstream(ssl_context=client_context())

    async def ours(url: str) -> int:
        exchange = upstream.open(Call(destination(url), REQUEST))
        await exchange.head()
        size = 0
        while data := await exchange.receive():
            size += len(data)
        return size

    def by(client: httpx.AsyncClient) -> Ask:
        async def ask(url: str) -> int:
            return len((await client.post(url, headers=HEADERS, content=REQUEST)).content)

        return ask

    async with (
        httpx.AsyncClient(
            transport=PoolTransport(upstream.pool, allow_private_network=True), timeout=CONNECT_S
        ) as pooled,
        httpx.AsyncClient(trust_env=False, verify=client_context(), timeout=CONNECT_S) as stock,
    ):
        ways = {"HttpUpstream": ours, "httpx on our pool": by(pooled), "httpx": by(stock)}
        await show(ways, f"{base_url}/chat/completions", count, f"{base_url.removesuffix('/v1')}/stream")
    await upstream.aclose()


async def show(ways: Mapping[str, Ask], url: str, count: int, stream_url: str) -> None:
    """Measure in turns; print the medians."""
    plain: dict[str, list[Figures]] = {name: [] for name in ways}
    streamed: dict[str, list[Figures]] = {name: [] for name in ways}
    for _ in range(ROUNDS + 1):
        for name, ask in ways.items():
            plain[name].append(await measured(count, IN_FLIGHT, partial(ask, url)))
            streamed[name].append(await measured(count // 20, STREAMS_IN_FLIGHT, partial(ask, stream_url)))
    print(f"{httpx.URL(url).scheme:20}{'requests/s':>12}{'CPU µs each':>14}{'events/s':>12}{'CPU µs a stream':>18}")
    for name in ways:
        rate, cpu_us = _medians(plain[name])
        streams, stream_us = _medians(streamed[name])
        print(f"{name:20}{rate:12.0f}{cpu_us:14.1f}{streams * EVENTS:12.0f}{stream_us:18.0f}")


def _medians(rounds: list[Figures]) -> tuple[float, float]:
    """Without the first round, which connects."""
    return statistics.median(f.rate for f in rounds[1:]), statistics.median(f.cpu_us for f in rounds[1:])


@contextmanager
def serving(*, tls: bool = False) -> Iterator[str]:
    """The server beside the caller; its base URL."""
    here, there = multiprocessing.Pipe()
    certificate = authority().issue_cert("127.0.0.1").private_key_and_cert_chain_pem.bytes() if tls else None
    server = multiprocessing.get_context("spawn").Process(target=serve, args=(there, certificate), daemon=True)
    server.start()
    try:
        yield f"{'https' if tls else 'http'}://127.0.0.1:{here.recv()}/v1"
    finally:
        server.kill()


def main() -> None:
    """Run the server beside the comparison: in clear, then with TLS."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 2000
    _pin(0)

    async def bounded(base_url: str) -> None:
        with trio.fail_after(LIMIT_S):
            await compare(base_url, count)

    for tls in (False, True):
        with serving(tls=tls) as base_url:
            trio.run(bounded, base_url)


if __name__ == "__main__":
    main()
