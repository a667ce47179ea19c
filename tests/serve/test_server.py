"""A server from start to drained, in this process."""

from typing import Any

import trio
from attrs import define, field

from clawgw.config.addresses import Bind
from clawgw.config.tables.server import Server
from clawgw.serve.listeners import bound, open_listeners
from clawgw.serve.server import hypercorn_config, serve_until_stopped
from clawgw.serve.stopping import Stop
from clawgw.serve.tls import Tls
from clawgw.web.service import Service
from tests.given_time import within
from tests.web.serving import STREAMED_CHAT, Client, FakeStream, provider, service, snapshot


@define
class Running:
    service: Service
    stop: Stop
    bind: Bind
    nursery: trio.Nursery
    ended: trio.Event = field(factory=trio.Event)

    async def connect(self) -> Client:
        stream = await trio.open_tcp_stream(self.bind.host, self.bind.port)
        self.nursery.start_soon(_close_in_the_end, stream)
        return Client(stream)

    async def refuses(self) -> None:
        """Returns when no more connections are accepted."""
        while True:
            try:
                await self.connect()
            except OSError:
                return


async def _close_in_the_end(stream: trio.SocketStream) -> None:
    async with stream:
        await trio.sleep_forever()


async def run(nursery: trio.Nursery, answerer: Any, **server: Any) -> Running:
    nursery.cancel_scope.deadline = trio.current_time() + 20
    (listener,) = open_listeners([Bind("127.0.0.1", 0)])
    chosen = service(answerer, snapshot(Server(**server), [provider("openai")]))
    running = Running(chosen, Stop(), bound(listener), nursery)
    ready = trio.Event()

    async def serve() -> None:
        await serve_until_stopped(chosen, Tls(None, None), [listener.detach()], running.stop, ready.set)
        running.ended.set()

    nursery.start_soon(serve)
    await ready.wait()
    return running


async def test_while_it_drains_what_is_in_flight_finishes(nursery: trio.Nursery) -> None:
    stream = FakeStream([b"data: 1\n\n"], endless=True)
    running = await run(nursery, stream.answer, drain_s=10)
    client = await running.connect()
    await client.send_post(STREAMED_CHAT)
    await client.read_head()
    await client.read_chunk()
    running.stop.drain()
    await running.refuses()
    assert not running.ended.is_set()
    stream.end.set()
    assert [chunk async for chunk in client.chunks()] == [b"data: [DONE]\n\n"]
    await running.ended.wait()


async def test_for_the_drain_delay_it_goes_on_but_is_not_ready(nursery: trio.Nursery) -> None:
    running = await run(nursery, FakeStream([]).answer, drain_delay_s=1)
    client = await running.connect()
    assert (await client.get("/ready")).status == 200
    running.stop.drain()
    assert (await client.get("/ready")).status == 503
    other = await running.connect()
    assert (await other.get("/health")).json["status"] == "draining"
    await running.ended.wait()


async def test_what_is_not_done_in_time_is_cut_off(nursery: trio.Nursery) -> None:
    stream = FakeStream([], endless=True)
    running = await run(nursery, stream.answer, drain_s=0.05)
    client = await running.connect()
    await client.send_post(STREAMED_CHAT)
    await stream.asked.wait()
    running.stop.drain()
    await running.ended.wait()
    assert stream.closed.is_set()
    assert b"0\r\n\r\n" not in await client.read_to_end()


async def test_told_to_stop_at_once_it_does(nursery: trio.Nursery) -> None:
    stream = FakeStream([], endless=True)
    running = await run(nursery, stream.answer, drain_s=1000, drain_delay_s=1000)
    client = await running.connect()
    await client.send_post(STREAMED_CHAT)
    await stream.asked.wait()
    running.stop.now()
    with within(1):
        await running.ended.wait()
    assert stream.closed.is_set()


async def test_an_idle_connection_does_not_hold_up_the_drain(nursery: trio.Nursery) -> None:
    running = await run(nursery, FakeStream([]).answer, drain_s=1000)
    client = await running.connect()
    await client.get("/health")
    running.stop.drain()
    with within(1):
        await running.ended.wait()
    assert await client.read_to_end() == b""


def test_hypercorns_own_limits_are_out_of_the_way() -> None:
    config = hypercorn_config(Server(drain_s=7), [5, 6], None)
    assert config.bind == ["fd://5", "fd://6"]
    assert config.graceful_timeout == 7
    assert config.alpn_protocols == ["h2", "http/1.1"]
    assert config.keep_alive_max_requests > 1_000_000_000
    assert config.read_timeout is None
