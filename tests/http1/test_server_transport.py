"""Over real sockets: what a stream in memory cannot show."""

import socket
import struct
import time

import pytest
import trio
from attrs import define, field
from trio.testing import open_stream_to_socket_listener

from clawgw.http1.server import Http1Server
from clawgw.http1.server_exchange import ServerExchange
from tests.given_time import within
from tests.http1.served import HEAD_S, Answer, Responder, hello, slow

GET = b"GET /a HTTP/1.1\r\nhost: h\r\n\r\n"
BIG = 50_000_000


@pytest.fixture(autouse=True)
async def _time_limit(nursery: trio.Nursery) -> None:
    nursery.cancel_scope.deadline = trio.current_time() + 20


@define(eq=False)
class Served:
    client: trio.SocketStream
    responder: Responder
    ended: trio.Event = field(factory=trio.Event)


async def start(nursery: trio.Nursery, answer: Answer) -> Served:
    (listener,) = await trio.open_tcp_listeners(0, host="127.0.0.1")
    responder = Responder(answer)
    server = Http1Server.of(responder, HEAD_S)
    served = Served(await open_stream_to_socket_listener(listener), responder)

    async def serve() -> None:
        async with listener:
            assert await server.serve(await listener.accept()) is None
        served.ended.set()

    async def close_in_the_end() -> None:
        async with served.client:
            await trio.sleep_forever()

    nursery.start_soon(serve)
    nursery.start_soon(close_in_the_end)
    return served


async def large(exchange: ServerExchange) -> None:
    await exchange.reply(200, {}, bytes(BIG))


async def test_an_answer_larger_than_any_buffer(nursery: trio.Nursery) -> None:
    served = await start(nursery, large)
    await served.client.send_all(GET)
    received = 0
    while received < BIG:
        received += len(await served.client.receive_some())
    assert received < BIG + 1000
    await served.client.aclose()
    await served.ended.wait()


async def test_a_client_that_takes_nothing_is_gone(nursery: trio.Nursery, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("clawgw.http1.server_transport.STALL_S", 0.2)
    served = await start(nursery, large)
    began = time.monotonic()
    await served.client.send_all(GET)
    await served.ended.wait()
    assert 0.2 <= time.monotonic() - began < 5
    assert len(served.responder.cancelled_at) == 1


async def test_a_reset_is_a_departure(nursery: trio.Nursery) -> None:
    served = await start(nursery, slow)
    await served.client.send_all(GET)
    while not served.responder.asked:
        await trio.testing.wait_all_tasks_blocked()
    served.client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    await served.client.aclose()
    await served.ended.wait()
    assert len(served.responder.cancelled_at) == 1


async def test_who_is_gone_when_the_answer_comes(nursery: trio.Nursery) -> None:
    """The send fails before the reader has seen the end."""

    async def late(exchange: ServerExchange) -> None:
        served.client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        served.client.socket.close()
        await exchange.start(200, {})
        await exchange.write(b"a")
        await exchange.write(b"b")

    served = await start(nursery, late)
    await served.client.send_all(GET)
    await served.ended.wait()
    assert len(served.responder.cancelled_at) == 1


async def test_what_nobody_reads_is_bounded(nursery: trio.Nursery) -> None:
    wanted = trio.Event()

    async def late(exchange: ServerExchange) -> None:
        await wanted.wait()
        await hello(exchange)

    served = await start(nursery, late)
    sent = 0

    async def pour() -> None:
        nonlocal sent
        await served.client.send_all(b"POST / HTTP/1.1\r\nhost: h\r\ncontent-length: %d\r\n\r\n" % BIG)
        while sent < BIG:
            await served.client.send_all(bytes(100_000))
            sent += 100_000

    nursery.start_soon(pour)
    with trio.move_on_after(1):
        await served.ended.wait()
    assert sent < BIG / 2, "the rest is in the buffers of the sockets, at most"
    wanted.set()
    assert (await served.client.receive_some()).endswith(b"\r\n\r\n%d" % BIG)


async def test_the_end_is_seen_before_the_connection_is_closed(nursery: trio.Nursery) -> None:
    served = await start(nursery, hello)
    await served.client.send_all(b"what is this?\r\n")
    answer = b"".join([bytes(part) async for part in served.client])
    assert answer.startswith(b"HTTP/1.1 400 ")
    assert not served.ended.is_set()
    await served.client.send_all(b"still sending")
    await served.client.aclose()
    with within(1):
        await served.ended.wait()
