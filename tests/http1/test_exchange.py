from collections.abc import AsyncIterator

import pytest
import trio

from clawgw.http1.exchange import ClientExchange
from clawgw.http1.faults import BrokenOff
from clawgw.http1.pool import Origin, Pool
from clawgw.net.tls import Tls
from tests.certificates import client_context, server_context
from tests.fake_upstream import (
    Close,
    FakeUpstream,
    Reset,
    Until,
    in_turn,
    json_answer,
    start_fake_upstream,
)

REQUEST = b"POST /v1 HTTP/1.1\r\nhost: h\r\ncontent-length: 2\r\n\r\n{}"


@pytest.fixture
async def pool() -> AsyncIterator[Pool]:
    opened = Pool(client_context())
    yield opened
    opened.close()


def origin(fake: FakeUpstream) -> Origin:
    return Origin(fake.scheme, "127.0.0.1", fake.port, f"127.0.0.1:{fake.port}", allow_private_network=True)


def exchange(pool: Pool, fake: FakeUpstream) -> ClientExchange:
    return ClientExchange(pool, origin(fake), REQUEST, 5)


async def read_all(exchange: ClientExchange) -> bytes:
    await exchange.head()
    body = b""
    while data := await exchange.receive():
        body += data
    return body


@pytest.mark.parametrize("scheme", ["http", "https"])
async def test_an_idle_connection_that_has_gone_before_anything_was_sent_is_replaced(
    nursery: trio.Nursery, pool: Pool, scheme: str
) -> None:
    told = trio.Event()
    context = server_context() if scheme == "https" else None
    answers = in_turn([*json_answer(200, {}), Until(told), Reset()], json_answer(200, {"again": 1}))
    fake = await start_fake_upstream(nursery, answers, ssl_context=context)
    await read_all(exchange(pool, fake))
    waiting = exchange(pool, fake)
    assert waiting.resumable
    told.set()
    await fake.wait_closed(1)
    assert await read_all(waiting) == b'{"again": 1}'
    assert [request.connection for request in fake.requests] == [1, 2]


async def test_what_may_have_been_sent_is_not_sent_again(nursery: trio.Nursery, pool: Pool) -> None:
    told = trio.Event()
    fake = await start_fake_upstream(nursery, in_turn([*json_answer(200, {}), Until(told), Close()]))
    await read_all(exchange(pool, fake))
    waiting = exchange(pool, fake)
    told.set()
    await fake.wait_closed(1)
    with pytest.raises(BrokenOff):  # the system takes what is sent to a peer that has closed its side
        await waiting.head()
    assert fake.accepted == 1


async def test_an_exchange_that_was_aborted_does_not_begin_again(nursery: trio.Nursery, pool: Pool) -> None:
    fake = await start_fake_upstream(nursery, lambda _: json_answer(200, {}))
    await read_all(exchange(pool, fake))
    aborted = exchange(pool, fake)
    aborted.abort()
    with pytest.raises(BrokenOff, match="the connection was cut"):
        await aborted.head()
    assert (fake.accepted, len(fake.requests)) == (1, 1)


async def test_the_next_connection_to_an_origin_begins_with_the_session_of_the_one_before(
    nursery: trio.Nursery, pool: Pool
) -> None:
    fake = await start_fake_upstream(nursery, lambda _: json_answer(200, {}), ssl_context=server_context())
    resumed = []
    for _ in range(3):
        asked = exchange(pool, fake)
        await read_all(asked)
        taken = pool.take(origin(fake))
        assert taken is not None
        assert isinstance(taken.link, Tls)
        resumed.append(taken.link.is_resumed)
        taken.cut()
    assert resumed == [False, True, True]


async def test_written_says_when_the_request_is_out(nursery: trio.Nursery, pool: Pool) -> None:
    fake = await start_fake_upstream(nursery, lambda _: json_answer(200, {}))
    asked = exchange(pool, fake)
    assert (asked.resumable, asked.written) == (False, False)
    await read_all(asked)
    assert (asked.resumable, asked.written) == (True, True)
    assert await asked.receive() == b""
    asked.abort()
    assert await read_all(exchange(pool, fake)) == b"{}"
    assert fake.accepted == 1
