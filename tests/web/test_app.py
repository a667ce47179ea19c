"""The whole application behind hypercorn, seen through a socket."""

import logging
import time
from collections.abc import Awaitable
from typing import Any, cast

import attrs
import pytest
import trio

from clawgw.config.snapshot import ReadyRoute
from clawgw.config.tables.server import Server
from clawgw.engine.arrival import Arrival
from clawgw.errors import InvalidRequest, LogSpoolFull, Unavailable, UpstreamFailed
from clawgw.gateway import PlainAnswer
from clawgw.policy import Target
from clawgw.routing.target_health import Admission
from clawgw.web.app import Front
from clawgw.web.asgi import Receive, Scope, Send
from clawgw.web.cold import build_cold_app
from clawgw.web.hot import HotEndpoint
from clawgw.wire.checks.parse import parse_text_request
from clawgw.wire.failure import Failure, Kind
from clawgw.wire.request import ChatRequest, EmbeddingsRequest, Request, TextRequest
from tests.given_time import within
from tests.living import live
from tests.web.serving import (
    CHAT,
    STREAMED_CHAT,
    VERSION,
    Answer,
    Client,
    FakeStream,
    Serving,
    hello,
    provider,
    serve,
    service,
    snapshot,
)

pytestmark = pytest.mark.usefixtures("_time_limit")


@pytest.fixture
async def _time_limit(nursery: trio.Nursery) -> None:
    nursery.cancel_scope.deadline = trio.current_time() + 20


def gone(client: Client) -> Awaitable[None]:
    return client.stream.aclose()


async def start(nursery: trio.Nursery, answerer: Any = hello, **server: Any) -> tuple[Serving, Client]:
    served = await serve(nursery, service(answerer, snapshot(Server(**server), [provider("openai")])))
    return served, await served.connect()


async def test_a_plain_answer(nursery: trio.Nursery) -> None:
    served, client = await start(nursery)
    before = time.time()
    answer = await client.post(CHAT, head=b"x-client-request-id: mine-1\r\n")
    assert answer.status == 200
    assert answer.json == {"object": "chat.completion"}
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["x-clawgw-provider"] == "openai"
    assert answer.headers["x-clawgw-config"] == VERSION
    assert answer.headers["x-client-request-id"] == "mine-1"
    assert "connection" not in answer.headers
    assert "server" not in answer.headers
    (arrival,) = served.gateway.arrivals
    assert answer.headers["x-request-id"] == arrival.request_id
    assert arrival.client_request_id == "mine-1"
    assert before <= arrival.now <= time.time()


async def test_ids_of_a_connection_are_different_and_sorted(nursery: trio.Nursery) -> None:
    _, client = await start(nursery)
    ids = [(await client.post(CHAT)).headers["x-request-id"] for _ in range(20)]
    assert sorted(set(ids)) == ids


@pytest.mark.parametrize(
    ("path", "body", "kind"),
    [
        ("/v1/chat/completions", CHAT, ChatRequest),
        ("/v1/completions", b'{"model": "m", "prompt": "hi"}', TextRequest),
        ("/v1/embeddings", b'{"model": "m", "input": "hi"}', EmbeddingsRequest),
    ],
)
async def test_each_hot_endpoint_has_its_own_requests(
    nursery: trio.Nursery, path: str, body: bytes, kind: type[Request]
) -> None:
    served, client = await start(nursery)
    assert (await client.post(body, path)).status == 200
    assert isinstance(served.gateway.requests[0], kind)


async def test_a_chunked_body_is_put_together(nursery: trio.Nursery) -> None:
    served, client = await start(nursery)
    await client.send(b"POST /v1/chat/completions HTTP/1.1\r\nhost: t\r\ntransfer-encoding: chunked\r\n\r\n")
    for byte in CHAT:
        await client.send(b"1\r\n%c\r\n" % byte)
    await client.send(b"0\r\n\r\n")
    assert (await client.read_answer()).status == 200
    assert served.gateway.requests[0].body["messages"][0]["content"] == "hi"


@pytest.mark.parametrize("kind", [b"", b"content-type: application/x-www-form-urlencoded\r\n"])
async def test_any_content_type_is_taken(nursery: trio.Nursery, kind: bytes) -> None:
    _, client = await start(nursery)
    assert (await client.post(CHAT, head=kind)).status == 200


# Refusals


def assert_openai_error(answer: Answer, status: int, kind: str, code: str | None) -> None:
    assert answer.status == status
    assert answer.headers["content-type"] == "application/json"
    assert set(answer.error) == {"message", "type", "param", "code", "request_id"}
    assert (answer.error["type"], answer.error["code"]) == (kind, code)
    assert answer.error["request_id"] == answer.headers["x-request-id"]
    assert answer.headers["x-clawgw-config"] == VERSION


async def test_a_bad_body(nursery: trio.Nursery) -> None:
    served, client = await start(nursery)
    answer = await client.post(b'{"model": 7, "messages": []}')
    assert_openai_error(answer, 400, "invalid_request_error", None)
    assert answer.error["param"] == "model"
    assert answer.headers["x-should-retry"] == "false"
    assert not served.gateway.requests
    assert (await client.post(CHAT)).status == 200, "the connection goes on"


async def test_an_error_of_the_gateway(nursery: trio.Nursery) -> None:
    async def fail(_request: Request, _arrival: Arrival) -> PlainAnswer:
        raise UpstreamFailed("openai/m: HTTP 500")

    _, client = await start(nursery, fail)
    for body in (CHAT, STREAMED_CHAT):
        answer = await client.post(body)
        assert_openai_error(answer, 502, "upstream_error", "all_targets_failed")
        assert answer.headers["x-should-retry"] == "false"


async def test_503_says_when_to_come_back(nursery: trio.Nursery) -> None:
    async def fail(_request: Request, _arrival: Arrival) -> PlainAnswer:
        raise Unavailable("nothing is up", retry_after_s=2.5)

    _, client = await start(nursery, fail)
    answer = await client.post(CHAT)
    assert answer.status == 503
    assert answer.headers["retry-after"] == "3"
    assert "x-should-retry" not in answer.headers


@pytest.mark.parametrize("body", [CHAT, STREAMED_CHAT])
async def test_a_bug_is_a_500_and_the_connection_goes_on(
    nursery: trio.Nursery, caplog: pytest.LogCaptureFixture, body: bytes
) -> None:
    async def stumble(_request: Request, _arrival: Arrival) -> PlainAnswer:
        raise LookupError("sk-secret")

    _, client = await start(nursery, stumble)
    answers = [await client.post(body) for _ in range(2)]
    for answer in answers:
        assert_openai_error(answer, 500, "server_error", "internal_error")
        assert "secret" not in answer.error["message"]
    lines = [record.getMessage() for record in caplog.records if "LookupError" in record.getMessage()]
    assert [line.split()[0] for line in lines] == [answer.headers["x-request-id"] for answer in answers]
    assert "secret" not in caplog.text


async def test_a_request_that_came_through_here_before(nursery: trio.Nursery) -> None:
    _, client = await start(nursery)
    answer = await client.post(CHAT, head=b"via: 1.1 proxy, 1.1 clawgw-i1\r\n")
    assert_openai_error(answer, 508, "invalid_request_error", "loop_detected")
    assert (await client.post(CHAT, head=b"via: 1.1 clawgw-i2\r\n")).status == 200


async def test_a_compressed_body(nursery: trio.Nursery) -> None:
    _, client = await start(nursery)
    answer = await client.post(CHAT, head=b"content-encoding: gzip\r\n")
    assert_openai_error(answer, 415, "invalid_request_error", "unsupported_media_type")


async def test_a_body_that_says_it_is_too_large_is_refused_before_it_comes(nursery: trio.Nursery) -> None:
    _, client = await start(nursery, max_body_bytes=100)
    await client.send(b"POST /v1/chat/completions HTTP/1.1\r\nhost: t\r\ncontent-length: 101\r\n\r\n")
    status, headers = await client.read_head()
    assert status == 413
    assert headers["connection"] == "close"
    assert b"request_too_large" in await client.read_exactly(int(headers["content-length"]))
    await client.send(b"x" * 101)
    assert await client.read_to_end() == b""


async def test_a_body_that_turns_out_too_large_is_refused_while_it_comes(nursery: trio.Nursery) -> None:
    _, client = await start(nursery, max_body_bytes=100_000)
    await client.send(b"POST /v1/chat/completions HTTP/1.1\r\nhost: t\r\ntransfer-encoding: chunked\r\n\r\n")
    async with trio.open_nursery() as senders:

        async def pour() -> None:
            try:
                while True:
                    await client.send(b"10000\r\n" + b"x" * 0x10000 + b"\r\n")
            except trio.BrokenResourceError:
                return

        senders.start_soon(pour)
        answer = await client.read_answer()
        assert_openai_error(answer, 413, "invalid_request_error", "request_too_large")
        assert answer.headers["connection"] == "close"


async def test_a_large_body_that_nobody_wants_does_not_hold_up_the_connection(nursery: trio.Nursery) -> None:
    """The whole of it is sent before the answer is read; the queue beneath would be full."""
    served, client = await start(nursery)
    answer = await client.post(b"x" * 3_000_000, head=b"via: 1.1 clawgw\r\n")
    assert answer.status == 508
    other = await served.connect()
    assert (await other.post(b"x" * 3_000_000, "/v1/models")).status == 405


async def test_a_body_that_does_not_come(nursery: trio.Nursery) -> None:
    chosen = service(hello)
    impatient = HotEndpoint("completions", parse_text_request, chosen, body_s=0.05)
    app = Front(chosen, {"/v1/completions": impatient}, build_cold_app(chosen))  # type: ignore[arg-type] # Quart types its scopes more narrowly
    client = await (await serve(nursery, chosen, app)).connect()
    await client.send(b"POST /v1/completions HTTP/1.1\r\nhost: t\r\ncontent-length: 10\r\n\r\n123")
    answer = await client.read_answer()
    assert_openai_error(answer, 408, "invalid_request_error", "request_timeout")
    assert answer.headers["connection"] == "close"
    assert "x-should-retry" not in answer.headers


async def test_a_head_that_does_not_come(nursery: trio.Nursery, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("clawgw.serve.server.HEAD_S", 0.05)
    _, client = await start(nursery)
    await client.send(b"POST /v1/completions HTTP/1.1\r\nhost: t\r\nx-drip: ")
    assert await client.read_to_end() == b""


@pytest.mark.parametrize(
    ("head", "status"),
    [
        (b"host: t\r\ncontent-length: 2\r\ntransfer-encoding: chunked\r\n", 400),
        (b"host: t\r\ncontent-length: 2\r\ncontent-length: 3\r\n", 400),
        (b"host: t\r\nhost: u\r\n", 400),
        (b"host: t\r\nx-bad: a\x00b\r\n", 400),
        (b"host: t\r\n" + b"x-many: 1\r\n" * 101, 431),
        (b"host: t\r\nx-long: " + b"x" * 40_000 + b"\r\n", 431),
    ],
)
@pytest.mark.parametrize("path", [b"/v1/chat/completions", b"/health"])
async def test_heads_that_are_not_trusted_close_the_connection(
    nursery: trio.Nursery, head: bytes, status: int, path: bytes
) -> None:
    served, client = await start(nursery)
    await client.send(b"POST %s HTTP/1.1\r\n" % path + head + b"\r\n")
    answer = await client.read_to_end()
    assert int(answer.split()[1]) == status
    assert b"connection: close" in answer.lower()
    assert not served.gateway.requests


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS", "PUT"])
async def test_a_hot_endpoint_takes_posts_only(nursery: trio.Nursery, method: str) -> None:
    _, client = await start(nursery)
    answer = await client.get("/v1/chat/completions", method)
    assert answer.status == 405
    assert answer.headers["allow"] == "POST"
    assert (await client.post(CHAT)).status == 200


# Streams


async def test_a_stream(nursery: trio.Nursery) -> None:
    stream = FakeStream([b"data: 1\n\ndata: 2\n\n", b"data: [DONE]\n\n"])
    _, client = await start(nursery, stream.answer)
    await client.send_post(STREAMED_CHAT)
    status, headers = await client.read_head()
    assert status == 200
    assert headers["content-type"] == "text/event-stream; charset=utf-8"
    assert headers["cache-control"] == "no-cache"
    assert headers["x-accel-buffering"] == "no"
    assert headers["x-clawgw-provider"] == "openai"
    assert headers["x-clawgw-config"] == VERSION
    assert [chunk async for chunk in client.chunks()] == [b"data: 1\n\ndata: 2\n\n", b"data: [DONE]\n\n"]
    await stream.closed.wait()
    assert (await client.get("/health")).status == 200


async def test_a_stream_that_has_been_received_does_not_wait_for_its_goodbye(nursery: trio.Nursery) -> None:
    class Slow(FakeStream):
        async def receive(self) -> bytes:
            if self.ended:
                await self.end.wait()
            return await super().receive()

    stream = Slow([b"data: [DONE]\n\n"])
    _, client = await start(nursery, stream.answer)
    await client.send_post(STREAMED_CHAT)
    await client.read_head()
    assert [chunk async for chunk in client.chunks()] == [b"data: [DONE]\n\n"]
    assert not stream.closed.is_set()
    stream.end.set()
    await stream.closed.wait()


@pytest.mark.parametrize("body", [CHAT, STREAMED_CHAT])
async def test_a_client_that_leaves_before_the_answer_cancels_it(nursery: trio.Nursery, body: bytes) -> None:
    began, cancelled = trio.Event(), trio.Event()

    async def wait(_request: Request, _arrival: Arrival) -> PlainAnswer:
        began.set()
        try:
            await trio.sleep_forever()
        finally:
            cancelled.set()
        raise AssertionError

    served, client = await start(nursery, wait)
    await client.send_post(body)
    await began.wait()
    await gone(client)
    with within(1):
        await cancelled.wait()
    assert (await (await served.connect()).get("/health")).status == 200


async def test_a_client_that_leaves_a_stream_closes_it(nursery: trio.Nursery) -> None:
    stream = FakeStream([b"data: 1\n\n"], endless=True)
    _, client = await start(nursery, stream.answer)
    await client.send_post(STREAMED_CHAT)
    await client.read_head()
    assert await client.read_chunk() == b"data: 1\n\n"
    await stream.asked.wait()
    assert not stream.closed.is_set()
    await gone(client)
    with within(1):
        await stream.closed.wait()


async def test_a_client_that_leaves_while_its_body_is_awaited(nursery: trio.Nursery) -> None:
    served, client = await start(nursery)
    await client.send(b"POST /v1/chat/completions HTTP/1.1\r\nhost: t\r\ncontent-length: 10\r\n\r\n123")
    await gone(client)
    assert (await (await served.connect()).post(CHAT)).status == 200
    assert len(served.gateway.requests) == 1


async def test_an_error_of_the_gateways_own_in_a_stream_is_its_last_event(nursery: trio.Nursery) -> None:
    class Full(FakeStream):
        async def receive(self) -> bytes:
            if self.pieces:
                return self.pieces.pop()
            raise LogSpoolFull("no room")

    stream = Full([b"data: 1\n\n"], endless=True)
    _, client = await start(nursery, stream.answer)
    await client.send_post(STREAMED_CHAT)
    await client.read_head()
    first, last = [chunk async for chunk in client.chunks()]
    assert first == b"data: 1\n\n"
    assert b'"log_spool_full"' in last
    await stream.closed.wait()


async def test_a_bug_in_a_stream_is_its_last_event(nursery: trio.Nursery) -> None:
    class Broken(FakeStream):
        async def receive(self) -> bytes:
            if self.pieces:
                return self.pieces.pop()
            raise LookupError

    stream = Broken([b"data: 1\n\n"], endless=True)
    _, client = await start(nursery, stream.answer)
    await client.send_post(STREAMED_CHAT)
    await client.read_head()
    first, last = [chunk async for chunk in client.chunks()]
    assert first == b"data: 1\n\n"
    assert last.startswith(b'data: {"error":{')
    assert b'"internal_error"' in last
    await stream.closed.wait()


# Headers that wait for the winner


async def held(nursery: trio.Nursery, hold_s: float, end: Any) -> tuple[Client, trio.Event]:
    """A client whose stream waits for the event."""
    decided = trio.Event()

    async def wait(_request: Request, _arrival: Arrival) -> Any:
        await decided.wait()
        if isinstance(end, Exception):
            raise end
        return end

    _, client = await start(nursery, wait, header_hold_s=hold_s)
    await client.send_post(STREAMED_CHAT)
    return client, decided


@pytest.mark.parametrize("hold_s", [0, 0.01])
async def test_after_the_hold_a_stream_begins_without_its_winner(nursery: trio.Nursery, hold_s: float) -> None:
    stream = FakeStream([b"data: [DONE]\n\n"])
    client, decided = await held(nursery, hold_s, stream)
    status, headers = await client.read_head()
    assert status == 200
    assert headers["content-type"] == "text/event-stream; charset=utf-8"
    assert [name for name in headers if name.startswith("x-clawgw-")] == ["x-clawgw-config"]
    assert await client.read_chunk() == b": keepalive\n\n"
    decided.set()
    assert [chunk async for chunk in client.chunks()] == [b"data: [DONE]\n\n"]
    await stream.closed.wait()


async def test_a_failure_after_the_hold_comes_in_the_stream(nursery: trio.Nursery) -> None:
    client, decided = await held(nursery, 0, UpstreamFailed("no"))
    _, headers = await client.read_head()
    assert await client.read_chunk() == b": keepalive\n\n"
    decided.set()
    (event,) = [chunk async for chunk in client.chunks()]
    assert event.startswith(b'data: {"error":{"message":"no"')
    assert headers["x-request-id"].encode() in event


async def test_comments_go_on_until_the_winner_is_known(nursery: trio.Nursery, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("clawgw.web.hold.COMMENT_EVERY_S", 0.01)
    client, decided = await held(nursery, 0, FakeStream([b"data: [DONE]\n\n"]))
    await client.read_head()
    for _ in range(3):
        assert await client.read_chunk() == b": keepalive\n\n"
    decided.set()
    rest = [chunk async for chunk in client.chunks()]
    assert rest[-1] == b"data: [DONE]\n\n"
    assert set(rest[:-1]) <= {b": keepalive\n\n"}


async def test_a_failure_within_the_hold_has_its_own_status(nursery: trio.Nursery) -> None:
    client, decided = await held(nursery, 15, InvalidRequest("no"))
    decided.set()
    assert (await client.read_answer()).status == 400


async def test_a_client_that_leaves_while_headers_are_held(nursery: trio.Nursery) -> None:
    stream = FakeStream([], endless=True)
    client, decided = await held(nursery, 0, stream)
    await client.read_head()
    decided.set()
    await stream.asked.wait()
    await gone(client)
    with within(1):
        await stream.closed.wait()


# The other pages


async def test_health_and_readiness(nursery: trio.Nursery) -> None:
    served, client = await start(nursery)
    answer = await client.get("/health")
    assert answer.json == {"status": "ok", "version": "0.1.0", "config": VERSION}
    assert "connection" not in answer.headers
    assert (await client.get("/ready")).status == 200
    served.service.draining = True
    assert (await client.get("/health")).json["status"] == "draining"
    answer = await client.get("/ready")
    assert answer.status == 503
    assert answer.json["reasons"] == ["draining: the gateway is being stopped"]
    assert answer.headers["retry-after"] == "1"


@pytest.mark.parametrize("path", ["/health", "/v1/models"])
async def test_a_target_may_be_a_whole_url(nursery: trio.Nursery, path: str) -> None:
    _, client = await start(nursery)
    answer = await client.get(f"http://gateway.example:8080{path}?x=1")
    assert (answer.status, answer.json) == (200, (await client.get(path)).json)


async def test_not_ready_where_no_provider_is(nursery: trio.Nursery) -> None:
    chosen = snapshot(providers=[provider("openai", not_ready="no key"), provider("groq", "groq", "no key")])
    client = await (await serve(nursery, service(hello, chosen))).connect()
    answer = await client.get("/ready")
    assert answer.status == 503
    assert answer.json == {"status": "not ready", "reasons": ["openai: no key", "groq: no key"]}
    assert answer.headers["x-request-id"].startswith("req_")


async def test_providers(nursery: trio.Nursery) -> None:
    chosen = snapshot(providers=[provider("openai"), provider("mine", "groq", "no key: set X")])
    served = await serve(nursery, service(hello, chosen))
    served.gateway.live.providers["openai"].in_flight = 3
    answer = await (await served.connect()).get("/v1/providers")
    assert (answer.json["object"], answer.json["scope"]) == ("list", "worker")
    assert answer.json["data"] == [
        {
            "object": "provider",
            "id": "openai",
            "wire": "openai",
            "ready": True,
            "reason": None,
            "in_flight": 3,
            "targets": [],
        },
        {
            "object": "provider",
            "id": "mine",
            "wire": "groq",
            "ready": False,
            "reason": "no key: set X",
            "in_flight": 0,
            "targets": [],
        },
    ]
    assert b"secret" not in answer.body


async def test_what_a_worker_knows_of_targets(nursery: trio.Nursery) -> None:
    served = await serve(nursery, service(hello, snapshot(providers=[provider("openai")])))
    client, health = await served.connect(), served.gateway.live.providers["openai"].health
    for _ in range(5):
        admission = health.admit("known", 0, trio.current_time(), streaming=True)
        assert isinstance(admission, Admission)
        admission.failed(Failure(Kind.SERVER, ""), trio.current_time())
        admission.end(trio.current_time())
    health.admit("fine", 0, trio.current_time(), streaming=True)
    (row,) = (await client.get("/v1/providers")).json["data"]
    nothing = {"cooling_s": 0.0, "p50_s": None, "p95_s": None}
    assert row["targets"] == [
        {"model": "known", "breaker": "open", "in_flight": 0, **nothing},
        {"model": "fine", "breaker": "closed", "in_flight": 1, **nothing},
    ]
    lines = (await client.get("/metrics")).body.decode().splitlines()
    assert 'clawgw_breaker_state{model="known",provider="openai"} 2.0' in lines
    assert 'clawgw_breaker_state{model="other",provider="openai"} 0.0' in lines


async def test_an_answer_under_way_names_the_version_it_began_with(nursery: trio.Nursery) -> None:
    closed = list[str]()

    async def swapped_meanwhile(request: Request, arrival: Arrival) -> PlainAnswer:
        old = served.gateway.live
        chosen = attrs.evolve(old.snapshot, version="new")
        served.gateway.live = live(chosen, cast("Any", None))
        old.retire()
        assert closed == []
        return await hello(request, arrival)

    served = await serve(nursery, service(swapped_meanwhile))
    served.gateway.live.close = lambda: closed.append("old")
    client = await served.connect()
    assert (await client.post(CHAT)).headers["x-clawgw-config"] == VERSION
    assert (await client.get("/health")).json["config"] == "new"
    assert closed == ["old"]


async def test_models(nursery: trio.Nursery) -> None:
    chosen = snapshot(
        providers=[provider("own")], routes=[ReadyRoute("fast", [Target("own", "a/b")]), ReadyRoute("gpt-*", [])]
    )
    client = await (await serve(nursery, service(hello, chosen))).connect()
    expected = [
        {"id": "fast", "object": "model", "created": 0, "owned_by": "clawgw"},
        {"id": "own/known", "object": "model", "created": 0, "owned_by": "own"},
    ]
    assert (await client.get("/v1/models")).json == {"object": "list", "data": expected}
    assert (await client.get("/v1/models/fast")).json == expected[0]
    assert (await client.get("/v1/models/own/known")).json == expected[1]
    assert (await client.get("/v1/models/own%2Fknown")).json == expected[1]
    for unknown in ("/v1/models/nope", "/v1/models/own//known", "/v1/models/%00"):
        answer = await client.get(unknown)
        assert_openai_error(answer, 404, "invalid_request_error", "model_not_found")


async def test_metrics(nursery: trio.Nursery) -> None:
    _, client = await start(nursery)
    await client.post(b"{}")
    answer = await client.get("/metrics")
    assert answer.status == 200
    assert answer.headers["content-type"].startswith("text/plain")
    line = 'clawgw_requests_total{endpoint="chat.completions",model="",provider="",route="",status="400"} 1.0'
    assert line in answer.body.decode().splitlines()


async def test_what_is_not_there(nursery: trio.Nursery) -> None:
    _, client = await start(nursery)
    for path in ("/", "/v1/nope", "/v1/chat/completions/"):
        assert_openai_error(await client.get(path), 404, "invalid_request_error", "not_found")


@pytest.mark.parametrize("method", ["POST", "OPTIONS", "DELETE"])
async def test_pages_are_read_only(nursery: trio.Nursery, method: str) -> None:
    _, client = await start(nursery)
    answer = await client.get("/v1/models", method)
    assert_openai_error(answer, 405, "invalid_request_error", "method_not_allowed")
    assert set(answer.headers["allow"].replace(" ", "").split(",")) == {"GET", "HEAD"}


async def test_head_of_a_page(nursery: trio.Nursery) -> None:
    _, client = await start(nursery)
    answer = await client.get("/health", "HEAD")
    assert (answer.status, answer.body) == (200, b"")
    assert (await client.get("/health")).status == 200


async def test_a_bug_in_a_page(
    nursery: trio.Nursery, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stumble(_service: object) -> None:
        raise LookupError("secret")

    monkeypatch.setattr("clawgw.web.pages.health", stumble)
    _, client = await start(nursery)
    answer = await client.get("/health")
    assert_openai_error(answer, 500, "server_error", "internal_error")
    assert "LookupError" in caplog.text
    assert "secret" not in caplog.text + answer.body.decode()


async def test_a_bug_in_front_of_everything(nursery: trio.Nursery, caplog: pytest.LogCaptureFixture) -> None:
    async def stumble(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            raise LookupError("secret")
        assert await receive() == {"type": "lifespan.startup"}
        await send({"type": "lifespan.startup.complete"})
        await trio.sleep_forever()

    chosen = service(hello)
    client = await (await serve(nursery, chosen, Front(chosen, {}, stumble))).connect()
    assert_openai_error(await client.get("/x"), 500, "server_error", "internal_error")
    assert "LookupError" in caplog.text


async def test_a_bug_after_the_answer(nursery: trio.Nursery, caplog: pytest.LogCaptureFixture) -> None:
    async def stumble(scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        if scope["type"] == "lifespan":
            await send({"type": "lifespan.startup.complete"})
            await trio.sleep_forever()
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
        await send({"type": "http.response.body", "body": b"ok"})
        raise LookupError

    chosen = service(hello)
    client = await (await serve(nursery, chosen, Front(chosen, {}, stumble))).connect()
    for _ in range(2):
        assert (await client.get("/x")).body == b"ok"
    assert "LookupError" in caplog.text


async def test_a_bug_in_answering_a_bug_costs_a_connection_and_no_more(
    nursery: trio.Nursery, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def stumble(_request: Request, _arrival: Arrival) -> PlainAnswer:
        monkeypatch.setattr("clawgw.web.exchange.error_json", None)
        raise LookupError

    served, client = await start(nursery, stumble)
    await client.send_post(CHAT)
    assert await client.read_to_end() == b""
    assert "LookupError" in caplog.text
    assert "TypeError" in caplog.text
    assert (await (await served.connect()).get("/health")).status == 200


@pytest.mark.parametrize("rest", [b"zz\r\n", b"5\r\nhelloXX"])
async def test_a_body_that_is_not_framed_as_it_should_be(nursery: trio.Nursery, rest: bytes) -> None:
    served, client = await start(nursery)
    await client.send(b"POST /v1/completions HTTP/1.1\r\nhost: t\r\ntransfer-encoding: chunked\r\n\r\n" + rest)
    answer = await client.read_answer()
    assert_openai_error(answer, 400, "invalid_request_error", None)
    assert answer.headers["connection"] == "close"
    assert await client.read_to_end() == b""
    assert not served.gateway.requests


async def test_a_body_that_is_there_and_too_large(nursery: trio.Nursery) -> None:
    """It came with its head and in chunks, so nobody was warned."""
    _, client = await start(nursery, max_body_bytes=10)
    body = b"%x\r\n%b\r\n0\r\n\r\n" % (len(CHAT), CHAT)
    await client.send(b"POST /v1/completions HTTP/1.1\r\nhost: t\r\ntransfer-encoding: chunked\r\n\r\n" + body)
    assert_openai_error(await client.read_answer(), 413, "invalid_request_error", "request_too_large")


async def test_who_expects_to_be_told_is_told(nursery: trio.Nursery) -> None:
    _, client = await start(nursery)
    head = b"POST /v1/chat/completions HTTP/1.1\r\nhost: t\r\nexpect: 100-continue\r\ncontent-length: %d\r\n"
    await client.send(head % len(CHAT) + b"\r\n")
    assert await client.read_until(b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
    await client.send(CHAT)
    assert (await client.read_answer()).status == 200
    await client.send(head % len(CHAT) + b"via: 1.1 clawgw\r\n\r\n")
    answer = await client.read_answer()
    assert (answer.status, answer.headers["connection"]) == (508, "close"), "the body was not asked for"


async def test_a_websocket_that_nobody_serves(nursery: trio.Nursery) -> None:
    _, client = await start(nursery)
    await client.send(
        b"GET /v1/ws HTTP/1.1\r\nhost: t\r\nconnection: upgrade\r\nupgrade: websocket\r\n"
        b"sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    )
    status, _headers = await client.read_head()
    assert status == 404


async def test_errors_are_logged_by_id_and_code(nursery: trio.Nursery, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "clawgw")
    _, client = await start(nursery)
    answer = await client.post(b'{"model": "secret"}')
    line = f"{answer.headers['x-request-id']} 400 invalid_request_error"
    assert [record.getMessage() for record in caplog.records if record.name == "clawgw"] == [line]
