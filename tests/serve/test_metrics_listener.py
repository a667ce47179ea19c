"""The listener of `metrics.bind`, beside a gateway whose clients need keys."""

import attrs
import pytest
import trio

from clawgw.config.addresses import Bind
from clawgw.config.callers import Callers, key_digest
from clawgw.config.settings import Settings
from clawgw.config.tables.callers import Key
from clawgw.serve.listeners import bound, open_listeners
from clawgw.serve.metrics_listener import serve_metrics
from clawgw.web.service import Service
from tests.serve.gateway import Process, Starter
from tests.web.serving import CHAT, Client, hello, provider, service, snapshot

CONFIG = f"""
[[keys]]
name = "alice"
sha256 = "{key_digest("alice").hex()}"
[metrics]
bind = "127.0.0.1:0"
"""


def guarded() -> Service:
    settings = Settings(keys=(Key("alice", key_digest("alice").hex()),))
    plain = snapshot(providers=[provider("openai")])
    return service(hello, attrs.evolve(plain, settings=settings, callers=Callers.of(settings)))


@pytest.fixture
async def client(nursery: trio.Nursery) -> Client:
    nursery.cancel_scope.deadline = trio.current_time() + 20
    (listener,) = open_listeners([Bind("127.0.0.1", 0)])
    bind = bound(listener)
    nursery.start_soon(serve_metrics, guarded(), [listener.detach()], 5.0)
    return Client(await trio.open_tcp_stream(bind.host, bind.port))


async def test_whoever_watches_needs_no_key(client: Client) -> None:
    async with client.stream:
        metrics = await client.get("/metrics")
        assert (metrics.status, b"clawgw_in_flight 0.0" in metrics.body) == (200, True)
        assert metrics.headers["x-request-id"].startswith("req_")
        assert (await client.get("/health")).json["status"] == "ok"
        assert (await client.get("/ready")).json["status"] == "ready"


@pytest.mark.parametrize("path", ["/v1/models", "/v1/providers", "/v1/usage", "/v1/requests/req_1", "/"])
async def test_nothing_else_is_there(client: Client, path: str) -> None:
    async with client.stream:
        answer = await client.get(path)
        assert (answer.status, answer.error["code"]) == (404, "not_found")


async def test_and_nothing_can_be_asked(client: Client) -> None:
    async with client.stream:
        answer = await client.post(CHAT)
        assert (answer.status, answer.error["code"]) == (404, "not_found")
        answer = await client.post(b"{}", path="/metrics")
        assert (answer.status, "POST" in answer.headers["allow"]) == (405, False)


async def test_who_asks_for_a_websocket_is_left(client: Client) -> None:
    head = "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: QQ==\r\n"
    async with client.stream:
        await client.stream.send_all(f"GET /metrics HTTP/1.1\r\nHost: a\r\n{head}\r\n".encode())
        assert await client.stream.receive_some() == b""


async def metrics_of(gateway: Process) -> Client:
    match = await gateway.line(r"metrics on http://127\.0\.0\.1:(\d+)/metrics")
    return Client(await trio.open_tcp_stream("127.0.0.1", int(match[1])))


@pytest.mark.parametrize("options", [(), ("--workers", "2")])
async def test_a_gateway_with_a_listener_for_metrics(start: Starter, options: tuple[str, ...]) -> None:
    gateway = await start(*options, config=CONFIG)
    client = await gateway.connect()
    async with client.stream:
        assert (await client.get("/metrics")).status == 401
        assert (await client.post(b"{")).status == 401
    watcher = await metrics_of(gateway)
    line = 'clawgw_requests_total{endpoint="chat.completions",model="",provider="",route="",status="401"} 1.0'
    async with watcher.stream:
        assert line in (await watcher.get("/metrics")).body.decode().splitlines()
    gateway.process.terminate()
    assert await gateway.wait() == 0


async def test_it_goes_on_while_the_gateway_drains(start: Starter) -> None:
    gateway = await start(config=f"{CONFIG}[server]\ndrain_delay_s = 30\n")
    watcher = await metrics_of(gateway)
    async with watcher.stream:
        gateway.process.terminate()
        while (await watcher.get("/ready")).status == 200:
            pass
        assert (await watcher.get("/metrics")).status == 200
        assert (await watcher.get("/health")).json["status"] == "draining"
        gateway.process.terminate()
    assert await gateway.wait() == 0


async def test_a_port_in_use_is_said_at_once(start: Starter) -> None:
    (listener,) = open_listeners([Bind("127.0.0.1", 0)])
    with listener:
        gateway = await start(config=f'[metrics]\nbind = "{bound(listener)}"\n')
        await gateway.line(f"cannot listen on {bound(listener)}: Address already in use")
        assert await gateway.wait() == 1
