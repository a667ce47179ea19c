from collections.abc import AsyncIterator, Sequence

import httpx
import pytest
import trio

from clawgw.http1.httpx_transport import PoolTransport
from clawgw.http1.pool import Pool
from tests.certificates import client_context, server_context
from tests.fake_upstream import (
    Close,
    FakeUpstream,
    Reset,
    Send,
    Stall,
    Step,
    head,
    in_turn,
    json_answer,
    sse_answer,
    start_fake_upstream,
)
from tests.given_time import within
from tests.net.test_connecting import refusing_port


@pytest.fixture
async def pool() -> AsyncIterator[Pool]:
    opened = Pool(client_context())
    yield opened
    opened.close()


@pytest.fixture
async def client(pool: Pool) -> AsyncIterator[httpx.AsyncClient]:
    transport = PoolTransport(pool, allow_private_network=True)
    async with httpx.AsyncClient(transport=transport, timeout=5) as opened:
        yield opened


@pytest.mark.parametrize("scheme", ["http", "https"])
async def test_requests_come_as_they_are_and_share_a_connection(
    nursery: trio.Nursery, client: httpx.AsyncClient, scheme: str
) -> None:
    context = server_context() if scheme == "https" else None
    fake = await start_fake_upstream(nursery, lambda _: json_answer(200, {"b": 2}), ssl_context=context)
    assert (await client.get(f"{fake.base_url}/x?y=%20", headers={"X-A": "b"})).json() == {"b": 2}
    assert (await client.post(f"{fake.base_url}/x", json={"a": 1})).status_code == 200
    assert (await client.delete(f"{fake.base_url}/x")).status_code == 200
    got, posted, deleted = fake.requests
    assert (got.method, got.path, got.headers["x-a"], got.body) == ("GET", "/x?y=%20", "b", b"")
    assert "content-length" not in got.headers
    assert (posted.method, posted.headers["content-length"], posted.body) == ("POST", "7", b'{"a":1}')
    assert deleted.method == "DELETE"
    assert fake.accepted == 1


async def test_a_body_in_parts_is_sent_whole(nursery: trio.Nursery, client: httpx.AsyncClient) -> None:
    async def parts() -> AsyncIterator[bytes]:
        yield b"a"
        yield b"bc"

    fake = await start_fake_upstream(nursery, lambda _: json_answer(200, {}))
    await client.put(fake.base_url, content=parts())
    (received,) = fake.requests
    assert (received.body, received.headers["content-length"]) == (b"abc", "3")
    assert "transfer-encoding" not in received.headers


async def test_an_empty_post_says_so(nursery: trio.Nursery, client: httpx.AsyncClient) -> None:
    fake = await start_fake_upstream(nursery, lambda _: json_answer(200, {}))
    await client.post(fake.base_url)
    assert fake.requests[0].headers["content-length"] == "0"


async def test_an_answer_to_head_has_no_body(nursery: trio.Nursery, client: httpx.AsyncClient) -> None:
    length = [Send(head(200, [("content-length", "5")]))]
    fake = await start_fake_upstream(nursery, in_turn(length, json_answer(200, {})))
    answer = await client.head(fake.base_url)
    assert (answer.headers["content-length"], answer.content) == ("5", b"")
    assert (await client.get(fake.base_url)).json() == {}
    assert fake.accepted == 1


async def test_fields_that_come_twice_stay_apart(nursery: trio.Nursery, client: httpx.AsyncClient) -> None:
    cookies = [("set-cookie", "a=b"), ("Set-Cookie", "c=d"), ("x", "\xe9")]
    fake = await start_fake_upstream(nursery, lambda _: json_answer(200, {}, cookies))
    answer = await client.get(fake.base_url)
    assert answer.headers.get_list("set-cookie") == ["a=b", "c=d"]
    assert answer.headers["x"] == "\xe9"


async def test_an_answer_streams_and_gives_its_connection_back(
    nursery: trio.Nursery, client: httpx.AsyncClient
) -> None:
    fake = await start_fake_upstream(nursery, lambda _: sse_answer(b"data: 1\n\ndata: 2\n\n", [9]))
    for _ in range(2):
        async with client.stream("GET", fake.base_url) as answer:
            assert b"".join([part async for part in answer.aiter_raw()]) == b"data: 1\n\ndata: 2\n\n"
    assert fake.accepted == 1


async def test_a_stream_that_is_not_read_to_its_end_is_cut(nursery: trio.Nursery, client: httpx.AsyncClient) -> None:
    fake = await start_fake_upstream(nursery, lambda _: [Send(head(200) + b"data: 1\n\n"), Stall()])
    async with client.stream("GET", fake.base_url) as answer:
        assert answer.status_code == 200
    with within(1):
        await fake.wait_closed(1)


@pytest.mark.parametrize(
    ("steps", "error"),
    [
        ([Reset()], httpx.ReadError),
        ([Close()], httpx.ReadError),
        ([Send(head(200, [("content-length", "9")]) + b"abc"), Close()], httpx.ReadError),
        ([Send(b"SSH-2.0-OpenSSH_9.2\r\n")], httpx.RemoteProtocolError),
        ([Send(head(200, [("x", "y" * 70_000)]))], httpx.RemoteProtocolError),
        ([Stall()], httpx.ReadTimeout),
        ([Send(head(200)), Stall()], httpx.ReadTimeout),
    ],
)
async def test_faults_are_httpxs(
    nursery: trio.Nursery, client: httpx.AsyncClient, steps: Sequence[Step], error: type[httpx.TransportError]
) -> None:
    fake = await start_fake_upstream(nursery, lambda _: steps)
    with pytest.raises(error):
        await client.get(fake.base_url, timeout=httpx.Timeout(1, read=0.2))
    await fake.wait_closed(1)


async def test_a_refused_connection(client: httpx.AsyncClient) -> None:
    with pytest.raises(httpx.ConnectError, match="connection refused"):
        await client.get(f"http://127.0.0.1:{refusing_port()}")


async def test_no_time_to_connect(client: httpx.AsyncClient) -> None:
    with trio.socket.socket() as listener:
        await listener.bind(("127.0.0.1", 0))
        listener.listen()  # the kernel accepts, and nobody answers
        with pytest.raises(httpx.ConnectTimeout):
            await client.get(f"https://127.0.0.1:{listener.getsockname()[1]}", timeout=0.05)


async def test_a_header_that_cannot_be_sent(client: httpx.AsyncClient) -> None:
    with pytest.raises(httpx.LocalProtocolError, match="line breaks"):
        await client.get("http://127.0.0.1", headers={"x": "a\r\nb: c"})


async def test_private_networks_need_leave(nursery: trio.Nursery, pool: Pool) -> None:
    fake = await start_fake_upstream(nursery, lambda _: json_answer(200, {}))
    async with httpx.AsyncClient(transport=PoolTransport(pool)) as careful:
        with pytest.raises(httpx.ConnectError, match="private"):
            await careful.get(fake.base_url)
    assert fake.accepted == 0


async def test_without_time_limits(nursery: trio.Nursery, client: httpx.AsyncClient) -> None:
    fake: FakeUpstream = await start_fake_upstream(nursery, lambda _: json_answer(200, {}))
    assert (await client.get(fake.base_url, timeout=None)).status_code == 200
