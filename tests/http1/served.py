"""A connection over streams in memory, in virtual time: what a client sends and sees."""

from collections.abc import Awaitable, Callable

import trio
from attrs import define, field
from trio.testing import memory_stream_pair

from clawgw.http1.request_head import BadRequest
from clawgw.http1.server import Http1Server
from clawgw.http1.server_exchange import ServerExchange

HEAD_S = 10.0

Answer = Callable[[ServerExchange], Awaitable[None]]


@define(eq=False)
class Responder:
    """Answers as it is told; what it was asked is in `asked`, when a work was cancelled in `cancelled_at`."""

    answer: Answer
    asked: list[str] = field(factory=list)
    cancelled_at: list[float] = field(factory=list)
    refused: int = 0

    async def serve(self, exchange: ServerExchange) -> None:
        self.asked.append(exchange.head.target.decode())
        try:
            await self.answer(exchange)
        except trio.Cancelled:
            self.cancelled_at.append(trio.current_time())
            raise

    async def refuse(self, exchange: ServerExchange, error: BadRequest) -> None:
        self.refused += 1
        await exchange.reply(error.status, {}, error.message.encode())


@define(eq=False)
class Served:
    """One connection, with the client's end of it. `result` is what `serve` returned, `ended_at` when."""

    responder: Responder
    server: Http1Server
    client: trio.StapledStream[trio.testing.MemorySendStream, trio.testing.MemoryReceiveStream]
    result: bytes | None = None
    ended_at: float | None = None

    async def send(self, data: bytes) -> None:
        await self.client.send_all(data)

    async def receive(self) -> bytes:
        """What has come as soon as nothing more is under way."""
        await trio.testing.wait_all_tasks_blocked()
        return bytes(await self.client.receive_some())

    async def ask(self, raw: bytes) -> bytes:
        await self.send(raw)
        return await self.receive()

    async def rest(self) -> bytes:
        """All that comes until the server closes the connection."""
        return b"".join([bytes(part) async for part in self.client])


def connect(nursery: trio.Nursery, answer: Answer, *, of: Served | None = None) -> Served:
    """A new connection; `of`: to the same server."""
    ours, theirs = memory_stream_pair()
    responder = of.responder if of else Responder(answer)
    server = of.server if of else Http1Server.of(responder, HEAD_S)
    served = Served(responder, server, ours)

    async def serve() -> None:
        served.result = await server.serve(theirs)
        served.ended_at = trio.current_time()

    nursery.start_soon(serve)
    return served


def without_date(answer: bytes) -> bytes:
    """An answer, or several."""
    lines = answer.split(b"\r\n")
    return b"\r\n".join(line for line in lines if not line.startswith(b"date: "))


async def hello(exchange: ServerExchange) -> None:
    """Reads the body and says how long it was."""
    size = 0
    while part := await exchange.receive():
        size += len(part)
    await exchange.reply(200, {}, b"%d" % size)


async def deaf(exchange: ServerExchange) -> None:
    """Never reads the body."""
    await exchange.reply(200, {}, b"ok")


async def slow(exchange: ServerExchange) -> None:
    """Takes 100 s."""
    await trio.sleep(100)
    await exchange.reply(200, {}, b"ok")
