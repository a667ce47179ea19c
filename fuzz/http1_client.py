"""HTTP/1.1 from upstreams, fuzzed: the parser against h11, and a connection whose waits are cancelled."""

import random
from collections.abc import Sequence

import trio

from clawgw.http1.client import ClientConnection
from clawgw.http1.faults import PeerFault
from tests.http1.answers import Read, assert_no_more_than_h11, ours
from tests.http1.scripted_link import ScriptedLink, again_and_again

SEEDS = (
    "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\ncontent-length: 2\r\n\r\n{}",
    'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n8;a="b"\r\ndata: 1\n\r\n1\r\n\n\r\n0\r\nt: u\r\n\r\n',
    "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103\r\nlink: </x>\r\n\r\nHTTP/1.1 204 No Content\r\nx: \ty \r\n\r\n",
    "HTTP/1.0 200 OK\r\n\r\nuntil the end",
    "HTTP/1.1 429 Too Many Requests\r\nconnection: Close\r\ncontent-length: 0\r\nset-cookie: a=b\r\n\r\nmore",
)


def parser(pieces: Sequence[bytes]) -> None:
    """We read what h11 reads, or refuse, however the bytes are split."""
    dice = _dice(pieces)
    assert_no_more_than_h11(b"".join(pieces), pieces, ended=dice.random() < 0.5, to_head=dice.random() < 0.2)


def connection(pieces: Sequence[bytes]) -> None:
    """A connection hands out what the parser reads, whichever waits are cancelled; one with a fault is cut."""
    trio.run(_converse, pieces, _dice(pieces))


async def _converse(pieces: Sequence[bytes], dice: random.Random) -> None:
    link = ScriptedLink(list(pieces), interrupts=[dice.random() < 0.3 for _ in pieces])
    asked = ClientConnection(link)
    asked.begin(b"request")
    assert link.written == []
    read = await _read(link, asked)
    expected = ours(pieces, ended=True)
    assert (read.status, read.body, read.complete, read.fault) == (
        expected.status,
        expected.body,
        expected.complete,
        expected.fault,
    )
    assert link.written == [b"request"]
    assert link.is_cut() == (read.fault is not None)
    assert asked.recycle() != link.is_cut()


async def _read(link: ScriptedLink, asked: ClientConnection) -> Read:
    status, body, fault = None, b"", None
    try:
        head = await again_and_again(link, asked.head)
        status = head.status
        while piece := await again_and_again(link, asked.receive):
            body += piece
    except PeerFault as raised:
        fault = type(raised).__name__
    return Read(status, (), body, asked.is_complete, reusable=False, fault=fault)


def _dice(pieces: Sequence[bytes]) -> random.Random:
    return random.Random(b"".join(pieces))  # noqa: S311 - the same bytes, the same conversation
