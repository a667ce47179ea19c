"""The same application over TLS, with HTTP/2 as the client likes it."""

import ssl
from pathlib import Path
from typing import Any

import h2.connection
import h2.events
import httpx
import pytest
import trio
import trustme

from clawgw.config.tables.server import Server
from tests.given_time import within
from tests.web.serving import (
    CHAT,
    STREAMED_CHAT,
    VERSION,
    FakeStream,
    Serving,
    hello,
    provider,
    serve,
    service,
    snapshot,
)


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[trustme.CA, Path, Path]:
    folder = tmp_path_factory.mktemp("tls")
    authority = trustme.CA()
    issued = authority.issue_cert("127.0.0.1")
    cert, key = folder / "cert.pem", folder / "key.pem"
    issued.private_key_pem.write_to_path(key)
    for blob in issued.cert_chain_pems:
        blob.write_to_path(cert, append=True)
    return authority, cert, key


@pytest.fixture
def trust(certificate: tuple[trustme.CA, Path, Path]) -> ssl.SSLContext:
    context = ssl.create_default_context()
    certificate[0].configure_trust(context)
    return context


@pytest.fixture
def start(nursery: trio.Nursery, certificate: tuple[trustme.CA, Path, Path], trust: ssl.SSLContext) -> Any:
    nursery.cancel_scope.deadline = trio.current_time() + 20
    _, cert, key = certificate

    async def start(answerer: Any, **server: Any) -> tuple[Serving, httpx.AsyncClient]:
        chosen = snapshot(Server(tls_cert=str(cert), tls_key=str(key), **server), [provider("openai")])
        served = await serve(nursery, service(answerer, chosen))
        return served, httpx.AsyncClient(http2=True, verify=trust, base_url=f"https://{served.bind}", trust_env=False)

    return start


async def test_plain_answers_and_pages(start: Any) -> None:
    _, client = await start(hello)
    async with client:
        answer = await client.post("/v1/chat/completions", content=CHAT)
        assert (answer.http_version, answer.status_code) == ("HTTP/2", 200)
        assert answer.headers["x-clawgw-config"] == VERSION
        assert "connection" not in answer.headers
        assert (await client.get("/health")).json()["status"] == "ok"
        assert (await client.get("/v1/chat/completions")).status_code == 405


async def test_a_body_that_is_too_large(start: Any) -> None:
    _, client = await start(hello, max_body_bytes=100)
    async with client:
        answer = await client.post("/v1/chat/completions", content=b"x" * 200_000)
        assert answer.status_code == 413
        assert "connection" not in answer.headers
        assert (await client.get("/health")).status_code == 200


async def test_a_head_that_is_too_large(start: Any) -> None:
    _, client = await start(hello)
    async with client:
        answer = await client.get("/health", headers=[(f"x-{number}", "y") for number in range(101)])
        assert answer.status_code == 431
        assert (await client.get("/health")).status_code == 200


async def first_events(connection: h2.connection.H2Connection, stream: trio.SSLStream[trio.SocketStream]) -> bytes:
    """Ask for a stream and wait for its first data."""
    connection.initiate_connection()
    head = {":method": "POST", ":path": "/v1/chat/completions", ":authority": "test", ":scheme": "https"}
    connection.send_headers(1, list(head.items()))
    connection.send_data(1, STREAMED_CHAT, end_stream=True)
    while True:
        await stream.send_all(connection.data_to_send())
        for event in connection.receive_data(bytes(await stream.receive_some())):
            if isinstance(event, h2.events.DataReceived):
                return event.data


async def test_a_client_that_resets_its_stream(start: Any, trust: ssl.SSLContext) -> None:
    stream = FakeStream([b"data: 1\n\n"], endless=True)
    served, _ = await start(stream.answer)
    trust.set_alpn_protocols(["h2"])
    tls = await trio.open_ssl_over_tcp_stream(served.bind.host, served.bind.port, ssl_context=trust)
    async with tls:
        connection = h2.connection.H2Connection()
        assert await first_events(connection, tls) == b"data: 1\n\n"
        await stream.asked.wait()
        connection.reset_stream(1)
        await tls.send_all(connection.data_to_send())
        with within(1):
            await stream.closed.wait()


async def test_comments_before_a_stream(start: Any) -> None:
    decided = trio.Event()

    async def wait(*_: Any) -> FakeStream:
        await decided.wait()
        return FakeStream([b"data: [DONE]\n\n"])

    _, client = await start(wait, header_hold_s=0)
    async with client, client.stream("POST", "/v1/chat/completions", content=STREAMED_CHAT) as answer:
        assert answer.status_code == 200
        decided.set()
        assert (await answer.aread()).endswith(b"data: [DONE]\n\n")
