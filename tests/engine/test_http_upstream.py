import json
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence

import pytest
import trio
import trio.testing

from clawgw import __version__
from clawgw.engine.http_upstream import HttpExchange, HttpUpstream
from clawgw.engine.upstream import Call, Destination
from clawgw.http1.response_head import ResponseHead
from clawgw.wire.failure import Kind, WireError
from tests.certificates import client_context, server_context
from tests.fake_upstream import (
    Close,
    FakeUpstream,
    Pause,
    Reset,
    Send,
    Stall,
    Step,
    Until,
    head,
    in_turn,
    json_answer,
    sse_answer,
    start_fake_upstream,
)
from tests.given_time import within
from tests.net.test_connecting import black_hole, refusing_port

SSE = b"".join(b'data: {"n": %d}\n\n' % n for n in range(100))


@pytest.fixture
async def upstream() -> AsyncIterator[HttpUpstream]:
    opened = HttpUpstream(ssl_context=client_context())
    yield opened
    await opened.aclose()


def call(url: str | FakeUpstream, **headers: str) -> Call:
    text = url if isinstance(url, str) else f"{url.base_url}/v1/chat/completions"
    to = Destination(text, {"content-type": "application/json", **headers}, 1.5, allow_private_network=True)
    return Call(to, b'{"a": 1}')


async def ask(upstream: HttpUpstream, request: Call) -> tuple[ResponseHead, HttpExchange]:
    exchange = upstream.open(request)
    try:
        return await exchange.head(), exchange
    except trio.Cancelled:
        exchange.abort()
        raise


async def read_all(exchange: HttpExchange) -> bytes:
    pieces = []
    try:
        while piece := await exchange.receive():
            pieces.append(piece)
    except trio.Cancelled:
        exchange.abort()
        raise
    return b"".join(pieces)


async def body_of(upstream: HttpUpstream, request: Call) -> bytes:
    _, exchange = await ask(upstream, request)
    return await read_all(exchange)


async def failure_of(upstream: HttpUpstream, request: Call) -> tuple[Kind, str]:
    """The failure of a call, whether it shows in the head or in the body; nobody waits for ever."""
    with trio.fail_after(5), pytest.raises(WireError) as caught:
        await body_of(upstream, request)
    return caught.value.failure.kind, caught.value.failure.message


async def test_a_call_is_sent_as_it_is_and_its_answer_comes_back(nursery: trio.Nursery, upstream: HttpUpstream) -> None:
    fake = await start_fake_upstream(nursery, lambda _: json_answer(429, {"b": 2}, [("Retry-After", "7")]))
    request = call(f"{fake.base_url}/v1beta/models/m-1:streamGenerateContent?alt=sse", authorization="Bearer k")
    answer, exchange = await ask(upstream, request)
    assert answer.status == 429
    assert answer.headers["retry-after"] == "7"
    assert json.loads(await read_all(exchange)) == {"b": 2}
    (received,) = fake.requests
    assert (received.method, received.path) == ("POST", "/v1beta/models/m-1:streamGenerateContent?alt=sse")
    assert received.body == b'{"a": 1}'
    assert received.headers == {
        "host": f"127.0.0.1:{fake.port}",
        "accept": "*/*",
        "accept-encoding": "identity",
        "user-agent": f"clawgw/{__version__}",
        "content-type": "application/json",
        "authorization": "Bearer k",
        "content-length": "8",
    }


async def test_bytes_are_handed_on_as_they_come(nursery: trio.Nursery, upstream: HttpUpstream) -> None:
    fake = await start_fake_upstream(nursery, lambda _: [Send(head(200) + b"data: 1\n\n"), Stall()])
    with trio.fail_after(5):
        _, exchange = await ask(upstream, call(fake))
        assert await exchange.receive() == b"data: 1\n\n"
    exchange.abort()


async def test_what_one_read_brings_comes_in_one_piece(nursery: trio.Nursery, upstream: HttpUpstream) -> None:
    whole = b"".join(step.data for step in sse_answer(SSE, [17] * 50) if isinstance(step, Send))
    fake = await start_fake_upstream(nursery, lambda _: [Send(whole)])
    _, exchange = await ask(upstream, call(fake))
    assert await exchange.receive() == SSE
    assert await exchange.receive() == b""
    assert await exchange.receive() == b""


@pytest.mark.parametrize("scheme", ["http", "https"])
async def test_a_stream_in_small_pieces_is_whole(nursery: trio.Nursery, upstream: HttpUpstream, scheme: str) -> None:
    context = server_context() if scheme == "https" else None
    fake = await start_fake_upstream(nursery, lambda _: sse_answer(SSE, [1] * len(SSE)), ssl_context=context)
    for _ in range(2):
        assert await body_of(upstream, call(fake)) == SSE
    assert fake.accepted == 1


async def test_a_body_that_ends_with_the_connection_is_whole(nursery: trio.Nursery, upstream: HttpUpstream) -> None:
    fake = await start_fake_upstream(nursery, lambda _: [Send(head(200)), Send(SSE), Close()])
    for _ in range(2):
        assert await body_of(upstream, call(fake)) == SSE
    assert fake.accepted == 2


async def test_interim_answers_are_passed_over(nursery: trio.Nursery, upstream: HttpUpstream) -> None:
    steps = [Send(head(103, [("link", "</x>")])), *json_answer(200, {})]
    fake = await start_fake_upstream(nursery, lambda _: steps)
    answer, exchange = await ask(upstream, call(fake))
    assert (answer.status, await read_all(exchange)) == (200, b"{}")


async def test_a_refused_connection(upstream: HttpUpstream) -> None:
    port = refusing_port()
    assert await failure_of(upstream, call(f"http://127.0.0.1:{port}/v1?key=secret")) == (
        Kind.CONNECT,
        f"connect to 127.0.0.1:{port} failed: connection refused",
    )


async def test_a_connection_that_never_comes_about(upstream: HttpUpstream) -> None:
    with black_hole() as port:
        request = Call(Destination(f"http://127.0.0.1:{port}/", {}, 0.05, allow_private_network=True), b"")
        assert await failure_of(upstream, request) == (
            Kind.CONNECT,
            f"connect to 127.0.0.1:{port} timed out after 0.05 s",
        )


async def test_the_time_to_connect_covers_the_tls_handshake(upstream: HttpUpstream) -> None:
    with trio.socket.socket() as listener:
        await listener.bind(("127.0.0.1", 0))
        listener.listen()  # the kernel accepts, and nobody answers
        port = listener.getsockname()[1]
        request = Call(Destination(f"https://127.0.0.1:{port}/", {}, 0.05, allow_private_network=True), b"")
        kind, message = await failure_of(upstream, request)
    assert (kind, message) == (Kind.CONNECT, f"connect to 127.0.0.1:{port} timed out after 0.05 s")


@pytest.mark.parametrize(
    ("host", "message"),
    [
        ("no-such-host.invalid", "connect to no-such-host.invalid failed: its name cannot be resolved: "),
        (f"{'a' * 64}.com", f"connect to {'a' * 64}.com failed: its name is not a host name"),
    ],
)
async def test_a_name_without_an_address(upstream: HttpUpstream, host: str, message: str) -> None:
    kind, said = await failure_of(upstream, call(f"https://{host}/v1"))
    assert kind is Kind.CONNECT
    assert said.startswith(message)


async def test_a_certificate_that_proves_nothing(nursery: trio.Nursery) -> None:
    fake = await start_fake_upstream(nursery, lambda _: json_answer(200, {}), ssl_context=server_context())
    assert await failure_of(HttpUpstream(), call(fake)) == (
        Kind.CONNECT,
        f"connect to 127.0.0.1:{fake.port} failed: TLS: unable to get local issuer certificate",
    )


async def test_private_networks_need_leave(nursery: trio.Nursery, upstream: HttpUpstream) -> None:
    fake = await start_fake_upstream(nursery, lambda _: json_answer(200, {}))
    await body_of(upstream, call(fake))
    kind, message = await failure_of(upstream, Call(Destination(fake.base_url, {}, 1.5), b""))
    assert kind is Kind.CONNECT
    assert "allow_private_network = true" in message
    assert len(fake.requests) == 1


CHUNKED = head(200, [("transfer-encoding", "chunked")])


@pytest.mark.parametrize(
    ("steps", "kind", "message"),
    [
        ([Reset()], Kind.RESET, "the connection broke before the answer ended"),
        ([Close()], Kind.RESET, "the connection ended before the answer did"),
        ([Send(b"HTTP/1.1 200 OK\r\nconte"), Close()], Kind.RESET, "the connection ended before the answer did"),
        ([Send(CHUNKED + b"3\r\nabc\r\n"), Pause(0.01), Reset()], Kind.RESET, "the connection broke before the answer"),
        ([Send(CHUNKED + b"3\r\nabc\r\n"), Close()], Kind.RESET, "the connection ended before the answer did"),
        (
            [Send(head(200, [("content-length", "9")]) + b"abc"), Close()],
            Kind.RESET,
            "the connection ended before the answer did",
        ),
        ([Send(b"SSH-2.0-OpenSSH_9.2\r\n\r\n")], Kind.INVALID, "the answer is not valid HTTP/1.1"),
        ([Send(CHUNKED + b"zz\r\nabc\r\n")], Kind.INVALID, "the answer is not valid HTTP/1.1"),
        ([Send(head(200, [("content-length", "-1")]))], Kind.INVALID, "the answer is not valid HTTP/1.1"),
        ([Send(head(101, [("upgrade", "x"), ("connection", "upgrade")]))], Kind.INVALID, "the answer is not valid"),
        ([Send(head(200, [("x", "y" * 140_000)]))], Kind.TOO_LARGE, "the answer's head is over 65536 bytes"),
        ([Send(b"HTTP/1.1 200 OK\r\n" + b"x: y\r\n" * 20_000)], Kind.TOO_LARGE, "the answer's head is over 65536"),
        ([Send(head(200, [("content-encoding", "gzip")]))], Kind.INVALID, "the answer is compressed"),
    ],
)
async def test_faults_have_their_kinds_and_end_the_connection(
    nursery: trio.Nursery, upstream: HttpUpstream, steps: Sequence[Step], kind: Kind, message: str
) -> None:
    fake = await start_fake_upstream(nursery, lambda _: steps)
    assert await failure_of(upstream, call(fake)) == (kind, AnyAfter(f"127.0.0.1:{fake.port}: {message}"))
    await fake.wait_closed(1)


class AnyAfter(str):
    """Equal to every text that starts with this one."""

    __slots__ = ()
    __hash__ = str.__hash__

    def __eq__(self, other: object) -> bool:
        return isinstance(other, str) and other.startswith(str(self))


@pytest.mark.parametrize(
    ("key", "message"),
    [
        ("sk-secret\r\nx: y", "a header is not allowed in HTTP, check for line breaks"),
        ("sk-secret-é", "a header is not ASCII"),
    ],
)
async def test_a_header_that_cannot_be_sent_is_not_repeated(
    nursery: trio.Nursery, upstream: HttpUpstream, key: str, message: str
) -> None:
    fake = await start_fake_upstream(nursery, lambda _: json_answer(200, {}))
    host = f"127.0.0.1:{fake.port}"
    assert await failure_of(upstream, call(fake, authorization=key)) == (
        Kind.INVALID,
        f"the request to {host} cannot be sent: {message}",
    )
    assert fake.requests == []


async def test_a_url_that_is_none(upstream: HttpUpstream) -> None:
    assert await failure_of(upstream, call("https://h/\0")) == (Kind.INVALID, "the upstream's URL is not valid")


async def test_redirects_cookies_and_proxies_are_not_followed(
    nursery: trio.Nursery, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{refusing_port()}")
    moved = [("location", "/elsewhere"), ("set-cookie", "a=b; path=/")]
    fake = await start_fake_upstream(nursery, lambda _: json_answer(307, {}, moved))
    upstream = HttpUpstream()
    for _ in range(2):
        answer, exchange = await ask(upstream, call(fake))
        assert answer.status == 307
        await read_all(exchange)
    await upstream.aclose()
    assert [received.path for received in fake.requests] == ["/v1/chat/completions"] * 2
    assert "cookie" not in fake.requests[1].headers


@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.parametrize("steps", [[Stall()], [Send(head(200)), Send(b"x" * 100_000), Stall()]])
async def test_a_cancelled_call_is_gone_within_a_second(
    nursery: trio.Nursery, upstream: HttpUpstream, scheme: str, steps: Sequence[Step]
) -> None:
    context = server_context() if scheme == "https" else None
    fake = await start_fake_upstream(nursery, lambda _: steps, ssl_context=context)

    async with trio.open_nursery() as asking:
        asking.start_soon(body_of, upstream, call(fake))
        await fake.wait_requests(1)
        await trio.testing.wait_all_tasks_blocked(0.01)
        asking.cancel_scope.cancel()
    with within(1):
        await fake.wait_closed(1)


@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.parametrize("received", [0, 1])
async def test_an_aborted_stream_is_gone_within_a_second(
    nursery: trio.Nursery, upstream: HttpUpstream, scheme: str, received: int
) -> None:
    context = server_context() if scheme == "https" else None
    steps = [*sse_answer(SSE, [100] * 5)[:-1], Stall()]
    fake = await start_fake_upstream(nursery, lambda _: steps, ssl_context=context)
    _, exchange = await ask(upstream, call(fake))
    for _ in range(received):
        assert await exchange.receive()
    exchange.abort()
    exchange.abort()
    with within(1):
        await fake.wait_closed(1)
    with pytest.raises(WireError) as caught:
        await exchange.receive()
    assert caught.value.failure.kind is Kind.RESET


async def test_whoever_reads_an_aborted_stream_hears_of_it(nursery: trio.Nursery, upstream: HttpUpstream) -> None:
    fake = await start_fake_upstream(nursery, lambda _: [Send(head(200)), Stall()])
    _, exchange = await ask(upstream, call(fake))
    kinds: list[Kind] = []

    async def read() -> None:
        with pytest.raises(WireError) as caught:
            await exchange.receive()
        kinds.append(caught.value.failure.kind)

    with trio.fail_after(5):
        async with trio.open_nursery() as reading:
            reading.start_soon(read)
            await trio.testing.wait_all_tasks_blocked()
            exchange.abort()
    assert kinds == [Kind.RESET]


async def test_an_abort_at_the_end_leaves_the_connection_to_its_next_user(
    nursery: trio.Nursery, upstream: HttpUpstream
) -> None:
    fake = await start_fake_upstream(
        nursery, in_turn(json_answer(200, {}), [Send(head(200)), Pause(0.02), Send(b"x"), Close()])
    )
    _, first = await ask(upstream, call(fake))
    await read_all(first)
    _, second = await ask(upstream, call(fake))
    first.abort()
    assert await read_all(second) == b"x"
    assert fake.accepted == 1


async def test_an_answer_is_in_hand_before_its_body(nursery: trio.Nursery, upstream: HttpUpstream) -> None:
    fake = await start_fake_upstream(nursery, lambda _: json_answer(200, {}))
    _, exchange = await ask(upstream, call(fake))
    assert fake.open_connections == 1
    await upstream.aclose()
    assert await read_all(exchange) == b"{}"
    await fake.wait_closed(1)


async def interrupted(wait: Callable[[], Awaitable[object]]) -> None:
    """Wait until everybody waits for something outside, and give up."""
    with trio.CancelScope() as scope:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(cancel_when_all_wait, scope)
            await wait()
    assert scope.cancelled_caught


async def timed_out(wait: Callable[[float], Awaitable[object]]) -> None:
    """Wait until a time."""
    with pytest.raises(trio.TooSlowError):
        await wait(trio.current_time() + 0.02)


async def cancel_when_all_wait(scope: trio.CancelScope) -> None:
    await trio.testing.wait_all_tasks_blocked(0.01)
    scope.cancel()


@pytest.mark.parametrize("given_up", [interrupted, timed_out])
@pytest.mark.parametrize("scheme", ["http", "https"])
async def test_waits_on_a_connection_that_is_there_can_be_given_up_and_taken_up_again(
    nursery: trio.Nursery, upstream: HttpUpstream, scheme: str, given_up: Callable[..., Awaitable[None]]
) -> None:
    context = server_context() if scheme == "https" else None
    tellings = [trio.Event() for _ in range(3)]
    pieces = [head(200, [("content-length", "6")])[:30], head(200, [("content-length", "6")])[30:] + b"abc", b"def"]
    steps = [step for told, piece in zip(tellings, pieces, strict=True) for step in (Until(told), Send(piece))]
    fake = await start_fake_upstream(nursery, in_turn(json_answer(200, {}), steps), ssl_context=context)
    await body_of(upstream, call(fake))
    exchange = upstream.open(call(fake))
    assert exchange.resumable
    assert not exchange.written
    await given_up(exchange.head)
    assert exchange.written
    tellings[0].set()
    await given_up(exchange.head)
    tellings[1].set()
    assert (await exchange.head()).status == 200
    assert await exchange.receive() == b"abc"
    await given_up(exchange.receive)
    tellings[2].set()
    assert await read_all(exchange) == b"def"
    assert (fake.accepted, len(fake.requests)) == (1, 2)


async def test_a_call_that_has_yet_to_connect_is_not_to_be_interrupted(
    nursery: trio.Nursery, upstream: HttpUpstream
) -> None:
    fake = await start_fake_upstream(nursery, lambda _: json_answer(200, {}))
    exchange = upstream.open(call(fake))
    assert not exchange.resumable
    assert not exchange.written
    exchange.abort()
    await exchange.head()
    assert exchange.resumable
    assert exchange.written
    exchange.abort()
    await fake.wait_closed(1)


async def test_connecting_is_given_up_when_the_time_has_come(upstream: HttpUpstream) -> None:
    with black_hole() as port:
        exchange = upstream.open(call(f"http://127.0.0.1:{port}"))
        await timed_out(exchange.head)
        assert not exchange.resumable
        exchange.abort()


async def test_a_length_tells_the_end_with_the_last_bytes(nursery: trio.Nursery, upstream: HttpUpstream) -> None:
    fake = await start_fake_upstream(nursery, lambda _: json_answer(200, {}))
    _, exchange = await ask(upstream, call(fake))
    assert not exchange.ended
    assert await exchange.receive() == b"{}"
    assert exchange.ended
    assert await exchange.receive() == b""


async def test_a_large_request_is_written_in_parts(nursery: trio.Nursery, upstream: HttpUpstream) -> None:
    fake = await start_fake_upstream(nursery, lambda _: json_answer(200, {}))
    await body_of(upstream, call(fake))
    bulk = Call(Destination(f"{fake.base_url}/v1", {}, 1.5, allow_private_network=True), b"x" * 8_000_000)
    exchange = upstream.open(bulk)
    waits = 0
    while True:
        with trio.CancelScope() as scope:
            scope.deadline = trio.current_time() + 0.002
            await exchange.head()
            break
        waits += 1
    assert waits > 0
    assert await read_all(exchange) == b"{}"
    assert fake.requests[1].body == bulk.body
    assert fake.accepted == 1


async def test_a_header_that_comes_twice_is_joined(nursery: trio.Nursery, upstream: HttpUpstream) -> None:
    fake = await start_fake_upstream(nursery, lambda _: json_answer(200, {}, [("X-Id", "a"), ("x-id", "b")]))
    answer, exchange = await ask(upstream, call(fake))
    assert answer.headers["x-id"] == "a, b"
    await read_all(exchange)
