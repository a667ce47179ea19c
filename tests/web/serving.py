"""A real server on a real socket around a made-up gateway, and a client that sees every byte."""

import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from typing import Any, cast

import trio
from attrs import define, field, frozen

from clawgw.config.addresses import Bind
from clawgw.config.settings import Settings
from clawgw.config.snapshot import ReadyProvider, ReadyRoute, Secret, Snapshot
from clawgw.config.tables.providers import Timeouts, WireName
from clawgw.config.tables.server import Server
from clawgw.engine.arrival import Arrival
from clawgw.engine.live import Live
from clawgw.gateway import PlainAnswer
from clawgw.serve.listeners import bound, open_listeners
from clawgw.serve.server import hypercorn_config
from clawgw.serve.server import serve as serve_front
from clawgw.serve.tls import Tls
from clawgw.web.app import Front, build_app
from clawgw.web.metrics import Metrics
from clawgw.web.service import Answering, OpenAnswer, Service
from clawgw.wire.request import Request
from tests.living import live

VERSION = "0123456789ab"
CHAT = b'{"model": "m", "messages": [{"role": "user", "content": "hi"}]}'
STREAMED_CHAT = b'{"model": "m", "messages": [{"role": "user", "content": "hi"}], "stream": true}'

Answerer = Callable[[Request, Arrival], Awaitable[PlainAnswer | OpenAnswer]]


def provider(name: str, wire: WireName = "openai", not_ready: str | None = None) -> ReadyProvider:
    keys = () if not_ready else (Secret("sk-never-shown"),)
    return ReadyProvider(
        name, wire, "https://user-secret.example/v1", keys, Timeouts(), default_model="known", not_ready=not_ready
    )


SERVER = Server()


def snapshot(
    server: Server = SERVER, providers: Sequence[ReadyProvider] = (), routes: Sequence[ReadyRoute] = ()
) -> Snapshot:
    return Snapshot(
        VERSION,
        Settings(server=server),
        {each.name: each for each in providers},
        {route.name: route for route in routes},
    )


@define
class FakeGateway:
    """Answers as it is told; `arrivals` and `requests` are what came."""

    answerer: Answerer
    live: Live
    arrivals: list[Arrival] = field(factory=list)
    requests: list[Request] = field(factory=list)

    async def answer(self, request: Request, arrival: Arrival) -> PlainAnswer | OpenAnswer:
        self.arrivals.append(arrival)
        self.requests.append(request)
        return await self.answerer(request, arrival)


def fake_gateway(answerer: Answerer, snapshot: Snapshot) -> FakeGateway:
    return FakeGateway(answerer, live(snapshot, cast("Any", None)))


def service(answerer: Answerer, chosen: Snapshot | None = None) -> Service:
    chosen = chosen or snapshot(providers=[provider("openai")])
    metrics = Metrics(lambda target: target.model if target.model == "known" else "other", chosen.version)
    return Service(cast("Answering", fake_gateway(answerer, chosen)), metrics, "i1")


async def hello(_request: Request, _arrival: Arrival) -> PlainAnswer:
    return PlainAnswer({"x-clawgw-provider": "openai", "x-clawgw-attempts": "1"}, b'{"object":"chat.completion"}')


@define
class FakeStream:
    """A stream of the given pieces; where it is `endless`, it ends with one more when `end` is set.

    `asked` and `closed` tell what was done to it.
    """

    pieces: list[bytes]
    endless: bool = False
    headers: Mapping[str, str] = field(factory=lambda: {"x-clawgw-provider": "openai"})
    asked: trio.Event = field(factory=trio.Event)
    end: trio.Event = field(factory=trio.Event)
    closed: trio.Event = field(factory=trio.Event)

    @property
    def ended(self) -> bool:
        return not (self.pieces or self.endless)

    async def receive(self) -> bytes:
        await trio.lowlevel.checkpoint()
        if self.pieces:
            return self.pieces.pop(0)
        self.asked.set()
        if self.endless:
            await self.end.wait()
            self.endless = False
            return b"data: [DONE]\n\n"
        return b""

    def close(self) -> None:
        self.closed.set()

    async def answer(self, _request: Request, _arrival: Arrival) -> "FakeStream":
        return self


@frozen
class Answer:
    """One HTTP/1.1 answer."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def error(self) -> dict[str, Any]:
        return cast("dict[str, Any]", self.json["error"])


@define
class Client:
    """One connection; `read_*` take exactly what they name and keep the rest."""

    stream: trio.SocketStream | trio.SSLStream[trio.SocketStream]
    _buffer: bytes = b""

    async def send(self, data: bytes) -> None:
        await self.stream.send_all(data)

    async def post(self, body: bytes, path: str = "/v1/chat/completions", head: bytes = b"") -> Answer:
        await self.send_post(body, path, head)
        return await self.read_answer()

    async def send_post(self, body: bytes, path: str = "/v1/chat/completions", head: bytes = b"") -> None:
        length = b"content-length: %d\r\n" % len(body)
        await self.send(b"POST %s HTTP/1.1\r\nhost: test\r\n" % path.encode() + length + head + b"\r\n" + body)

    async def get(self, path: str, method: str = "GET", head: bytes = b"") -> Answer:
        await self.send(f"{method} {path} HTTP/1.1\r\nhost: test\r\n".encode() + head + b"\r\n")
        return await self.read_answer(bodyless=method == "HEAD")

    async def read_answer(self, *, bodyless: bool = False) -> Answer:
        status, headers = await self.read_head()
        if bodyless:
            return Answer(status, headers, b"")
        if headers.get("transfer-encoding") == "chunked":
            return Answer(status, headers, b"".join([chunk async for chunk in self.chunks()]))
        return Answer(status, headers, await self.read_exactly(int(headers["content-length"])))

    async def read_head(self) -> tuple[int, dict[str, str]]:
        head = (await self.read_until(b"\r\n\r\n")).decode("latin-1")
        first, *lines = head[:-4].split("\r\n")
        pairs = [line.split(": ", 1) for line in lines]
        names = [name for name, _ in pairs]
        assert len(set(names)) == len(names), f"a header is there twice: {names}"
        return int(first.split()[1]), {name.lower(): value for name, value in pairs}

    async def chunks(self) -> AsyncIterator[bytes]:
        while chunk := await self.read_chunk():
            yield chunk

    async def read_chunk(self) -> bytes:
        size = int(await self.read_until(b"\r\n"), 16)
        return (await self.read_exactly(size + 2))[:size]

    async def read_until(self, end: bytes) -> bytes:
        while end not in self._buffer:
            await self._read()
        at = self._buffer.index(end) + len(end)
        taken, self._buffer = self._buffer[:at], self._buffer[at:]
        return taken

    async def read_exactly(self, size: int) -> bytes:
        while len(self._buffer) < size:
            await self._read()
        taken, self._buffer = self._buffer[:size], self._buffer[size:]
        return taken

    async def read_to_end(self) -> bytes:
        """What comes until the server closes the connection."""
        while True:
            try:
                await self._read()
            except EOFError:
                taken, self._buffer = self._buffer, b""
                return taken

    async def _read(self) -> None:
        data = await self.stream.receive_some()
        if not data:
            raise EOFError(f"the server closed the connection after {self._buffer!r}")
        self._buffer += data


@define
class Serving:
    """A running server."""

    service: Service
    bind: Bind
    nursery: trio.Nursery

    @property
    def gateway(self) -> FakeGateway:
        return cast("FakeGateway", self.service.gateway)

    async def connect(self) -> Client:
        """A connection, closed with the test."""
        stream = await trio.open_tcp_stream(self.bind.host, self.bind.port)
        self.nursery.start_soon(_close_in_the_end, stream)
        return Client(stream)


async def _close_in_the_end(stream: trio.SocketStream) -> None:
    async with stream:
        await trio.sleep_forever()


async def serve(nursery: trio.Nursery, service: Service, app: Front | None = None) -> Serving:
    """Start a server in `nursery`; every test limits its own time."""
    (listener,) = open_listeners([Bind("127.0.0.1", 0)])
    bind = bound(listener)
    server = service.snapshot.settings.server
    config = hypercorn_config(server, [listener.detach()], Tls.of(server).listening)
    await nursery.start(serve_front, app or build_app(service), config, trio.sleep_forever)
    return Serving(service, bind, nursery)
