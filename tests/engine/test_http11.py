from collections.abc import Sequence
from typing import TYPE_CHECKING, cast

import h11
import pytest
import trio
from attrs import define, field
from hypothesis import given
from hypothesis import strategies as st

from clawgw.engine.http11 import Connection
from clawgw.wire.codec import WireError
from tests.fake_upstream import split

if TYPE_CHECKING:
    from clawgw.engine.network import Link

TEXT = "data: né\n\ndata: [DONE]\n\n".encode()
CHUNKED = (
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    b"8\r\n" + TEXT[:8] + b"\r\n1;note=x\r\n" + TEXT[8:9] + b"\r\n10\r\n" + TEXT[9:] + b"\r\n0\r\nx-trailer: y\r\n\r\n"
)


@define
class ScriptedLink:
    """A link whose peer says these pieces, whatever it is told; it is its own stream."""

    pieces: list[bytes]
    refuses: bool = False
    written: list[bytes] = field(factory=list)
    cuts: int = 0
    stream: "ScriptedLink" = field(init=False)
    tcp: "ScriptedLink" = field(init=False)
    kept: bytes = b""

    def __attrs_post_init__(self) -> None:
        self.stream = self.tcp = self

    async def send_all(self, data: bytes) -> None:
        self.kept += data

    async def flush(self) -> None:
        await trio.lowlevel.checkpoint()
        if self.refuses:
            raise trio.BrokenResourceError
        self.written.append(self.kept)

    async def receive_some(self, _: int) -> bytes:
        await trio.lowlevel.checkpoint()
        return self.pieces.pop(0) if self.pieces else b""

    def cut(self) -> None:
        self.cuts += 1

    def is_cut(self) -> bool:
        return self.cuts > 0


def connection_to(link: ScriptedLink) -> Connection:
    return Connection("peer", cast("Link", link))


async def ask(connection: Connection) -> int:
    connection.begin(
        h11.Request(method=b"POST", target=b"/v1", headers=[("Host", "h"), ("Content-Length", "2")]), b"{}"
    )
    return (await connection.head()).status_code


async def read_all(connection: Connection) -> list[bytes]:
    pieces = []
    while piece := await connection.receive():
        pieces.append(piece)
    return pieces


@given(sizes=st.lists(st.integers(1, 40)))
def test_an_answer_is_the_same_however_it_is_cut_up(sizes: Sequence[int]) -> None:
    async def scenario() -> None:
        connection = connection_to(ScriptedLink(split(CHUNKED, sizes)))
        assert await ask(connection) == 200
        assert b"".join(await read_all(connection)) == TEXT
        assert connection.recycle()

    trio.run(scenario)


@given(data=st.binary(max_size=200), whole_head=st.booleans())
def test_no_bytes_raise_anything_but_errors_of_transport(data: bytes, *, whole_head: bool) -> None:
    async def scenario() -> None:
        link = ScriptedLink([CHUNKED[:45] * whole_head + data])
        try:
            connection = connection_to(link)
            await ask(connection)
            await read_all(connection)
        except WireError:
            assert link.is_cut()

    trio.run(scenario)


async def test_a_request_is_one_write() -> None:
    link = ScriptedLink([CHUNKED])
    await ask(connection_to(link))
    assert link.written == [b"POST /v1 HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\n{}"]


async def test_an_early_answer_is_read_although_the_request_was_not() -> None:
    link = ScriptedLink([b"HTTP/1.1 413 Too Large\r\nContent-Length: 2\r\n\r\nno"], refuses=True)
    connection = connection_to(link)
    assert await ask(connection) == 413
    assert await read_all(connection) == [b"no"]
    assert not connection.recycle()
    assert link.is_cut()


async def test_two_exchanges_on_one_connection() -> None:
    connection = connection_to(ScriptedLink([CHUNKED, CHUNKED]))
    for _ in range(2):
        assert await ask(connection) == 200
        assert await read_all(connection) == [TEXT]
        assert connection.is_complete()
        assert connection.recycle()


async def test_a_cut_connection_says_nothing_more_and_is_not_kept() -> None:
    connection = connection_to(ScriptedLink([CHUNKED]))
    await ask(connection)
    connection.cut()
    with pytest.raises(WireError, match="the connection was cut"):
        await connection.receive()
    assert not connection.recycle()


async def test_what_came_before_a_fault_is_handed_on() -> None:
    link = ScriptedLink([CHUNKED[:45] + b"\r\n3\r\nabc\r\nzz\r\n"])
    connection = connection_to(link)
    await ask(connection)
    assert await connection.receive() == b"abc"
    assert not connection.is_complete()
    with pytest.raises(WireError, match="not valid HTTP"):
        await connection.receive()
    assert link.is_cut()
