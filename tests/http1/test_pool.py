from collections.abc import AsyncIterator

import pytest
import trio
import trio.testing

from clawgw.engine.http_upstream import HttpExchange, HttpUpstream
from clawgw.engine.upstream import Call, Destination
from clawgw.http1.pool import Pool
from clawgw.wire.failure import Kind, WireError
from tests.certificates import client_context
from tests.fake_upstream import Close, FakeUpstream, Send, head, in_turn, json_answer, start_fake_upstream


def pooled(**limits: int) -> HttpUpstream:
    upstream = HttpUpstream(ssl_context=client_context())
    upstream.pool = Pool(client_context(), **limits)
    return upstream


@pytest.fixture
async def client() -> AsyncIterator[HttpUpstream]:
    upstream = pooled(max_idle=2)
    yield upstream
    await upstream.aclose()


def call(fake: FakeUpstream, *, allow_private_network: bool = True) -> Call:
    return Call(Destination(fake.base_url, {}, 1.5, allow_private_network), b"x")


async def post(client: HttpUpstream, fake: FakeUpstream) -> int:
    """Send a request, and say on which of the fake's connections it came."""
    (exchange,) = await open_several(client, fake, 1)
    await read_all(exchange)
    return fake.requests[-1].connection


async def open_several(client: HttpUpstream, fake: FakeUpstream, count: int) -> list[HttpExchange]:
    exchanges = [client.open(call(fake)) for _ in range(count)]
    for exchange in exchanges:
        await exchange.head()
    return exchanges


async def read_all(exchange: HttpExchange) -> bytes:
    pieces = []
    while piece := await exchange.receive():
        pieces.append(piece)
    return b"".join(pieces)


@pytest.fixture
async def fake(nursery: trio.Nursery) -> FakeUpstream:
    return await start_fake_upstream(nursery, lambda _: json_answer(200, {}))


async def test_the_connection_used_last_is_used_next(client: HttpUpstream, fake: FakeUpstream) -> None:
    first, second = await open_several(client, fake, 2)
    await read_all(second)
    await read_all(first)
    assert await post(client, fake) == 1
    assert await post(client, fake) == 1
    assert fake.accepted == 2


async def test_the_oldest_idle_connection_makes_room(client: HttpUpstream, fake: FakeUpstream) -> None:
    for response in await open_several(client, fake, 3):
        await read_all(response)
    await fake.wait_closed(1)
    assert fake.open_connections == 2
    first, second = await open_several(client, fake, 2)
    assert sorted(received.connection for received in fake.requests[3:]) == [2, 3]
    first.abort()
    second.abort()


async def test_a_body_that_is_not_read_costs_its_connection(client: HttpUpstream, fake: FakeUpstream) -> None:
    (response,) = await open_several(client, fake, 1)
    response.abort()
    await fake.wait_closed(1)
    assert await post(client, fake) == 2


async def test_idle_connections_are_closed_in_time_also_when_nobody_comes_back(
    client: HttpUpstream, fake: FakeUpstream, mock_clock: trio.testing.MockClock, nursery: trio.Nursery
) -> None:
    other = await start_fake_upstream(nursery, lambda _: json_answer(200, {}))
    await post(client, fake)
    mock_clock.jump(29.9)
    await post(client, other)
    assert fake.open_connections == 1
    mock_clock.jump(0.2)
    await fake.wait_closed(1)
    await post(client, other)
    assert (other.accepted, other.open_connections) == (1, 1)
    mock_clock.jump(30.1)
    await other.wait_closed(1)


async def test_an_expired_connection_is_not_used(
    client: HttpUpstream, fake: FakeUpstream, mock_clock: trio.testing.MockClock
) -> None:
    assert await post(client, fake) == 1
    mock_clock.jump(30.1)
    assert await post(client, fake) == 2


async def test_a_connection_that_the_peer_has_closed_is_not_used(nursery: trio.Nursery, client: HttpUpstream) -> None:
    fake = await start_fake_upstream(nursery, lambda _: [*json_answer(200, {}), Close()])
    assert await post(client, fake) == 1
    await fake.wait_closed(1)
    assert await post(client, fake) == 2
    assert len(fake.requests) == 2


async def test_a_request_that_may_have_been_processed_is_not_sent_again(
    nursery: trio.Nursery, client: HttpUpstream
) -> None:
    fake = await start_fake_upstream(nursery, in_turn(json_answer(200, {}), [Close()]))
    await post(client, fake)
    with pytest.raises(WireError) as caught:
        await post(client, fake)
    assert caught.value.failure.kind is Kind.RESET
    assert (fake.accepted, len(fake.requests)) == (1, 2)


@pytest.mark.parametrize(
    "answer",
    [
        head(200, [("content-length", "0"), ("connection", "close")]),
        head(200, [("content-length", "0")]) + b"HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\nforged",
        b"HTTP/1.0 200 OK\r\ncontent-length: 0\r\n\r\n",
    ],
)
async def test_a_connection_in_doubt_is_not_kept(nursery: trio.Nursery, client: HttpUpstream, answer: bytes) -> None:
    fake = await start_fake_upstream(nursery, lambda _: [Send(answer)])
    assert await post(client, fake) == 1
    assert await post(client, fake) == 2
    await fake.wait_closed(2)


async def test_leave_for_private_networks_is_not_inherited(client: HttpUpstream, fake: FakeUpstream) -> None:
    await post(client, fake)
    with pytest.raises(WireError, match="private"):
        await client.open(call(fake, allow_private_network=False)).head()
    assert len(fake.requests) == 1


async def test_closing_ends_idle_connections_now_and_others_at_their_end(fake: FakeUpstream) -> None:
    client = pooled()
    idle, busy = await open_several(client, fake, 2)
    await read_all(idle)
    await client.aclose()
    await fake.wait_closed(1)
    assert await read_all(busy) == b"{}"
    await fake.wait_closed(2)
