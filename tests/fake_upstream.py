"""An upstream for tests: HTTP/1.1 over real loopback sockets, whose answers are scripts of bytes, pauses and faults.

A test says what happens to each request as data:

    def respond(received: Received) -> Sequence[Step]:
        return [*sse_answer(b"data: 1\\n\\n"), Reset()]

    fake = await start_fake_upstream(nursery, respond)
    ... f"{fake.base_url}/v1/chat/completions" ...

Connections are kept alive unless a script ends them. The server lives in the nursery it is given and ends when that is
cancelled; nothing in it waits longer than `PATIENCE_S` for a peer.
"""

import json
import socket
import ssl
import struct
from collections.abc import Callable, Iterable, Mapping, Sequence

import h11
import trio
from attrs import define, field, frozen

PATIENCE_S = 30.0
"""The longest that a stalled connection, or a test that waits for one to close, is left waiting."""


@frozen
class Send:
    """Write these bytes, in a write of their own."""

    data: bytes


@frozen
class Pause:
    """Say nothing for so long."""

    seconds: float


@frozen
class Until:
    """Say nothing until the test says so, whatever the peer does."""

    told: trio.Event


@frozen
class Stall:
    """Say nothing until the peer goes away."""


@frozen
class Reset:
    """Break the connection with a TCP RST."""


@frozen
class Close:
    """Close the connection, without a TLS goodbye."""


Step = Send | Pause | Until | Stall | Reset | Close


@frozen
class Received:
    """One request as it came. `path` has the query; header names are lower case; `connection` counts from 1."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes
    connection: int = 1


Respond = Callable[[Received], Sequence[Step]]


def in_turn(*answers: Sequence[Step]) -> Respond:
    """The first answer for the first request, and so on; one more request is a mistake."""
    left = iter(answers)
    return lambda _: next(left)


def split(data: bytes, sizes: Iterable[int]) -> list[bytes]:
    """The data in pieces of these sizes, and what they leave over as the last piece; no piece is empty."""
    pieces = []
    for size in sizes:
        if not data:
            break
        pieces.append(data[:size])
        data = data[size:]
    return [piece for piece in [*pieces, data] if piece]


def head(status: int, headers: Iterable[tuple[str, str]] = ()) -> bytes:
    """A status line and header lines, with the empty line that ends them."""
    lines = [f"HTTP/1.1 {status} Status", *(f"{name}: {value}" for name, value in headers), "", ""]
    return "\r\n".join(lines).encode("latin-1")


def json_answer(status: int, body: object, headers: Iterable[tuple[str, str]] = ()) -> list[Step]:
    """A whole answer in one write; `body` is JSON data, or bytes that are sent as they are."""
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    given = [("content-type", "application/json"), ("content-length", str(len(content))), *headers]
    return [Send(head(status, given) + content)]


def sse_answer(raw: bytes, sizes: Iterable[int] = (), headers: Iterable[tuple[str, str]] = ()) -> list[Step]:
    """A 200 stream: the head, then each piece of `raw` as one HTTP chunk in a write of its own, then the last chunk."""
    given = [("content-type", "text/event-stream"), ("transfer-encoding", "chunked"), *headers]
    chunks = [b"%x\r\n%b\r\n" % (len(piece), piece) for piece in split(raw, sizes)]
    return [Send(head(200, given)), *map(Send, chunks), Send(b"0\r\n\r\n")]


@define
class FakeUpstream:
    """A running fake. `requests` holds what came, in order of arrival, over all connections."""

    port: int
    scheme: str = "http"
    requests: list[Received] = field(factory=list)
    accepted_at: list[float] = field(factory=list)
    """When each connection came, in `trio.current_time()`."""
    closed_at: list[float] = field(factory=list)
    """When those that are over ended, whoever ended them."""
    _lot: trio.lowlevel.ParkingLot = field(factory=trio.lowlevel.ParkingLot, repr=False)

    @property
    def base_url(self) -> str:
        return f"{self.scheme}://127.0.0.1:{self.port}"

    @property
    def accepted(self) -> int:
        """How many connections there have been."""
        return len(self.accepted_at)

    @property
    def closed(self) -> int:
        """How many of them are over."""
        return len(self.closed_at)

    @property
    def open_connections(self) -> int:
        return self.accepted - self.closed

    async def wait_requests(self, count: int) -> None:
        """Wait until so many requests have come since the start."""
        await self._wait(lambda: len(self.requests) >= count)

    async def wait_closed(self, count: int) -> None:
        """Wait until so many connections are over since the start."""
        await self._wait(lambda: self.closed >= count)

    async def _wait(self, reached: Callable[[], bool]) -> None:
        with trio.fail_after(PATIENCE_S):
            while not reached():
                await self._lot.park()

    def _came(self) -> int:
        """A connection's number."""
        self.accepted_at.append(trio.current_time())
        self._lot.unpark_all()
        return self.accepted

    def _left(self) -> None:
        self.closed_at.append(trio.current_time())
        self._lot.unpark_all()

    def _asked(self, request: Received) -> None:
        self.requests.append(request)
        self._lot.unpark_all()


async def start_fake_upstream(
    nursery: trio.Nursery, respond: Respond, *, ssl_context: ssl.SSLContext | None = None
) -> FakeUpstream:
    """Listen on a free loopback port, over TLS if there is a context, and answer until the nursery is cancelled."""
    (listener,) = await trio.open_tcp_listeners(0, host="127.0.0.1")
    fake = FakeUpstream(listener.socket.getsockname()[1], "https" if ssl_context else "http")

    async def serve(transport: trio.SocketStream) -> None:
        number = fake._came()
        stream = trio.SSLStream(transport, ssl_context, server_side=True) if ssl_context else transport
        try:
            await _Connection(stream, transport.socket, fake, respond, number).run()
        except (_GoneError, trio.BrokenResourceError, trio.ClosedResourceError):
            pass
        finally:
            transport.socket.close()
            fake._left()

    await nursery.start(trio.serve_listeners, serve, [listener])
    return fake


class _GoneError(Exception):
    """The connection is over."""


@define
class _Connection:
    """One accepted connection. `early` holds what came in while a script was running."""

    stream: trio.abc.Stream
    socket: trio.socket.SocketType
    fake: FakeUpstream
    respond: Respond
    number: int
    early: bytearray = field(factory=bytearray)

    async def run(self) -> None:
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        while True:
            received = await self.read_request()
            self.fake._asked(received)
            for step in self.respond(received):
                await self.perform(step)

    async def read_request(self) -> Received:
        # Answers are raw bytes that h11 never sees, so each request gets a parser of its own.
        parser = h11.Connection(h11.SERVER)
        if self.early:
            parser.receive_data(bytes(self.early))
            self.early.clear()
        request: h11.Request | None = None
        body = bytearray()
        while True:
            match await self.next_event(parser):
                case h11.Request() as came:
                    request = came
                    if parser.they_are_waiting_for_100_continue:
                        await self.stream.send_all(b"HTTP/1.1 100 Continue\r\n\r\n")
                case h11.Data(data=data):
                    body += data
                case h11.EndOfMessage():
                    break
                case _:
                    raise _GoneError
        assert request is not None
        self.early += parser.trailing_data[0]
        headers = {name.decode("ascii"): value.decode("latin-1") for name, value in request.headers}
        return Received(
            request.method.decode("ascii"), request.target.decode("ascii"), headers, bytes(body), self.number
        )

    async def next_event(self, parser: h11.Connection) -> object:
        try:
            while (event := parser.next_event()) is h11.NEED_DATA:
                parser.receive_data(bytes(await self.stream.receive_some()))
        except h11.RemoteProtocolError as error:
            raise _GoneError from error
        return event

    async def perform(self, step: Step) -> None:
        match step:
            case Send(data):
                await self.stream.send_all(data)
            case Pause(seconds):
                await self.say_nothing(seconds)
            case Until(told):
                await told.wait()
            case Stall():
                await self.say_nothing(PATIENCE_S)
                raise _GoneError
            case Reset():
                self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                raise _GoneError
            case Close():
                raise _GoneError

    async def say_nothing(self, seconds: float) -> None:
        """Wait, and notice meanwhile when the peer leaves."""
        with trio.move_on_after(seconds):
            while data := await self.stream.receive_some():
                self.early += data
            raise _GoneError
