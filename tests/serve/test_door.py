"""What hypercorn hands over, what is handed to it, and what is relied on inside it."""

import inspect
from importlib.metadata import version
from pathlib import Path

import h2.connection
import h2.events
import hypercorn.trio.run
import pytest
import trio
from hypercorn.trio.tcp_server import TCPServer

from clawgw.config.tables.server import Server
from clawgw.serve.door import Door
from tests.certificates import authority, client_context
from tests.web.serving import CHAT, Client, Serving, hello, provider, serve, service, snapshot

WEBSOCKET = (
    b"GET /v1/ws HTTP/1.1\r\nhost: t\r\nconnection: upgrade\r\nupgrade: websocket\r\n"
    b"sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
)
OURS = b"HTTP/1.1 200 OK\r\n"
"""Hypercorn gives no reasons."""


def test_hypercorn_is_the_one_that_is_known() -> None:
    assert version("hypercorn") == "0.18.0"
    assert [*inspect.signature(TCPServer).parameters] == ["app", "config", "context", "state", "stream"]
    source = inspect.getsource(hypercorn.trio.run.worker_serve)
    assert source.count("TCPServer") == 1, "the only place where it makes connections"
    assert "server_nursery.cancel_scope.deadline" in source, "how it ends those that do not end"
    assert "self.stream.do_handshake()" in inspect.getsource(TCPServer.run), "it may be made before"


@pytest.fixture
def tls(tmp_path: Path) -> Server:
    cert, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    issued = authority().issue_cert("127.0.0.1")
    issued.private_key_pem.write_to_path(key)
    issued.cert_chain_pems[0].write_to_path(cert)
    return Server(tls_cert=str(cert), tls_key=str(key))


async def start(nursery: trio.Nursery, server: Server | None = None) -> Serving:
    nursery.cancel_scope.deadline = trio.current_time() + 20
    chosen = snapshot(server or Server(), [provider("openai")])
    served = await serve(nursery, service(hello, chosen))
    assert hypercorn.trio.run.TCPServer is Door  # type: ignore[attr-defined] # not for others to see
    return served


async def test_http_1_1_is_ours(nursery: trio.Nursery) -> None:
    client = await (await start(nursery)).connect()
    for _ in range(2):
        await client.send_post(CHAT)
        assert (await client.read_until(b"\r\n")) == OURS
        await client.read_until(b"}")


@pytest.mark.parametrize("piece", [1, 1000])
async def test_http_2_with_prior_knowledge_is_hypercorns(nursery: trio.Nursery, piece: int) -> None:
    client = await (await start(nursery)).connect()
    connection = h2.connection.H2Connection()
    connection.initiate_connection()
    head = {":method": "POST", ":path": "/v1/chat/completions", ":authority": "test", ":scheme": "http"}
    connection.send_headers(1, list(head.items()))
    connection.send_data(1, CHAT, end_stream=True)
    sent = connection.data_to_send()
    for at in range(0, len(sent), piece):
        await client.send(sent[at : at + piece])
    data = b""
    while not data:
        events = connection.receive_data(bytes(await client.stream.receive_some()))
        data = b"".join(event.data for event in events if isinstance(event, h2.events.DataReceived))
    assert data == b'{"object":"chat.completion"}'


@pytest.mark.parametrize("before", [False, True], ids=["at once", "after a request"])
async def test_a_websocket_is_hypercorns(nursery: trio.Nursery, *, before: bool) -> None:
    client = await (await start(nursery)).connect()
    if before:
        await client.post(CHAT)
    await client.send(WEBSOCKET)
    assert await client.read_until(b"\r\n") == b"HTTP/1.1 404 \r\n"


async def test_after_a_websocket_that_was_refused_nothing_is_served(nursery: trio.Nursery) -> None:
    """Or what h11 mends would be."""
    served = await start(nursery)
    client = await served.connect()
    await client.send(WEBSOCKET)
    await client.read_head()
    try:
        await client.send_post(CHAT)
        assert b"HTTP/1.1" not in await client.read_to_end()
    except trio.BrokenResourceError:
        pass
    assert not served.gateway.requests


# TLS


@pytest.mark.parametrize("offered", [[], ["http/1.1"]], ids=["without ALPN", "by ALPN"])
async def test_http_1_1_over_tls_is_ours(nursery: trio.Nursery, tls: Server, offered: list[str]) -> None:
    served, context = await start(nursery, tls), client_context()
    if offered:
        context.set_alpn_protocols(offered)
    stream = await trio.open_ssl_over_tcp_stream(served.bind.host, served.bind.port, ssl_context=context)
    async with stream:
        client = Client(stream)
        for _ in range(2):
            await client.send_post(CHAT)
            assert await client.read_until(b"\r\n") == OURS
            assert (await client.read_until(b"}")).endswith(b'{"object":"chat.completion"}')
        await client.send(WEBSOCKET)
        assert await client.read_until(b"\r\n") == b"HTTP/1.1 404 \r\n"


async def test_a_handshake_that_fails_is_no_more_than_a_connection(nursery: trio.Nursery, tls: Server) -> None:
    client = await (await start(nursery, tls)).connect()
    await client.send(b"GET / HTTP/1.1\r\nhost: h\r\n\r\n")
    assert b"HTTP" not in await client.read_to_end()
