from collections.abc import Sequence

import pytest
import trio
from hypothesis import given
from hypothesis import strategies as st

from clawgw.http1.client import ClientConnection
from clawgw.http1.faults import BrokenOff, GoneBefore, InvalidAnswer, PeerFault
from tests.fake_upstream import split
from tests.http1.scripted_link import ScriptedLink, again_and_again

TEXT = "data: né\n\ndata: [DONE]\n\n".encode()
CHUNKED = (
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    b"8\r\n" + TEXT[:8] + b"\r\n1;note=x\r\n" + TEXT[8:9] + b"\r\n10\r\n" + TEXT[9:] + b"\r\n0\r\nx-trailer: y\r\n\r\n"
)
REQUEST = b"POST /v1 HTTP/1.1\r\nhost: h\r\ncontent-length: 2\r\n\r\n{}"


async def ask(connection: ClientConnection) -> int:
    connection.begin(REQUEST)
    return (await connection.head()).status


async def read_all(connection: ClientConnection) -> list[bytes]:
    pieces = []
    while piece := await connection.receive():
        pieces.append(piece)
    return pieces


@given(sizes=st.lists(st.integers(1, 40)))
def test_an_answer_is_the_same_however_it_is_cut_up(sizes: Sequence[int]) -> None:
    async def scenario() -> None:
        connection = ClientConnection(ScriptedLink(split(CHUNKED, sizes)))
        assert await ask(connection) == 200
        assert b"".join(await read_all(connection)) == TEXT
        assert connection.recycle()

    trio.run(scenario)


@given(sizes=st.lists(st.integers(1, 40)), interrupts=st.lists(st.booleans()))
def test_an_answer_is_the_same_however_often_its_waits_are_cancelled(
    sizes: Sequence[int], interrupts: Sequence[bool]
) -> None:
    async def scenario() -> None:
        link = ScriptedLink(split(CHUNKED, sizes), interrupts=list(interrupts))
        connection = ClientConnection(link)
        connection.begin(REQUEST)
        assert (await again_and_again(link, connection.head)).status == 200
        body = b""
        while piece := await again_and_again(link, connection.receive):
            body += piece
        assert body == TEXT
        assert link.written == [REQUEST]
        assert connection.recycle()

    trio.run(scenario)


@given(data=st.binary(max_size=200), whole_head=st.booleans())
def test_no_bytes_raise_anything_but_faults_of_the_peer(data: bytes, *, whole_head: bool) -> None:
    async def scenario() -> None:
        link = ScriptedLink([CHUNKED[:47] * whole_head + data])
        try:
            connection = ClientConnection(link)
            await ask(connection)
            await read_all(connection)
        except PeerFault:
            assert link.is_cut()

    trio.run(scenario)


async def test_a_request_is_one_write() -> None:
    link = ScriptedLink([CHUNKED])
    await ask(ClientConnection(link))
    assert link.written == [REQUEST]


async def test_a_request_is_not_sent_when_the_wait_is_over_already() -> None:
    link = ScriptedLink([CHUNKED])
    with trio.CancelScope() as scope:
        scope.cancel()
        await ask(ClientConnection(link))
    assert link.written == []


async def test_an_early_answer_is_read_although_the_request_was_not() -> None:
    link = ScriptedLink([b"HTTP/1.1 413 Too Large\r\nContent-Length: 2\r\n\r\nno"], takes=5)
    connection = ClientConnection(link)
    assert await ask(connection) == 413
    assert not connection.written
    assert await read_all(connection) == [b"no"]
    assert not connection.recycle()
    assert link.is_cut()


async def test_two_exchanges_on_one_connection() -> None:
    connection = ClientConnection(ScriptedLink([CHUNKED, CHUNKED]))
    for _ in range(2):
        assert await ask(connection) == 200
        assert await read_all(connection) == [TEXT]
        assert connection.is_complete
        assert connection.recycle()


@pytest.mark.parametrize(("takes", "raised"), [(0, GoneBefore), (1, BrokenOff)])
async def test_an_idle_connection_that_takes_nothing_had_gone_before(takes: int, raised: type[PeerFault]) -> None:
    link = ScriptedLink([CHUNKED])
    connection = ClientConnection(link)
    await ask(connection)
    await read_all(connection)
    assert connection.recycle()
    link.takes = takes
    with pytest.raises(raised) as caught:
        await ask(connection)
    assert type(caught.value) is raised
    assert link.is_cut()


async def test_a_new_connection_that_takes_nothing_is_broken() -> None:
    with pytest.raises(BrokenOff) as caught:
        await ask(ClientConnection(ScriptedLink([], takes=0)))
    assert type(caught.value) is BrokenOff


async def test_a_connection_that_is_cut_before_it_is_written_to_is_not_one_that_had_gone() -> None:
    connection = ClientConnection(ScriptedLink([CHUNKED]))
    await ask(connection)
    await read_all(connection)
    assert connection.recycle()
    connection.begin(REQUEST)
    connection.cut()
    with pytest.raises(BrokenOff, match="the connection was cut") as caught:
        await connection.head()
    assert type(caught.value) is BrokenOff


async def test_a_cut_connection_says_nothing_more_and_is_not_kept() -> None:
    connection = ClientConnection(ScriptedLink([CHUNKED]))
    await ask(connection)
    connection.cut()
    with pytest.raises(BrokenOff, match="the connection was cut"):
        await connection.receive()
    assert not connection.recycle()


async def test_what_came_before_a_fault_is_handed_on() -> None:
    link = ScriptedLink([CHUNKED[:47] + b"3\r\nabc\r\nzz\r\n"])
    connection = ClientConnection(link)
    await ask(connection)
    assert await connection.receive() == b"abc"
    assert not connection.is_complete
    with pytest.raises(InvalidAnswer, match="not valid HTTP"):
        await connection.receive()
    assert link.is_cut()
