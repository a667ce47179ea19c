"""HTTP/1.1 from clients, fuzzed: the parser against h11, and a whole connection against the parser."""

import random
from collections.abc import Sequence

import trio
from trio.testing import MockClock

from clawgw.http1.request_head import BadRequest
from clawgw.http1.server_exchange import ServerExchange
from tests.http1.differential import Reading, compare, ours
from tests.http1.served import Served, connect, deaf, hello

SEEDS = (
    "GET / HTTP/1.1\r\nhost: h\r\n\r\n",
    "POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\nX-A:\t b \r\n\r\nhello",
    'POST / HTTP/1.1\r\nhost: h\r\ntransfer-encoding: chunked\r\n\r\n5;a="b"\r\nhello\r\n0\r\nx-t: y\r\n\r\n',
    "POST / HTTP/1.1\r\nhost: h\r\nupgrade: h2c\r\nconnection: upgrade\r\ncontent-length: 2\r\n\r\nhi",
    "POST / HTTP/1.1\r\nhost: h\r\nexpect: 100-continue\r\ncontent-length: 2\r\n\r\nhi",
    "GET / HTTP/1.1\r\nhost: h\r\nupgrade: websocket\r\nconnection: upgrade\r\n\r\n",
    "HEAD / HTTP/1.0\r\n\r\n",
    "GET / HTTP/1.1\r\nhost: h\r\nconnection: close\r\n\r\n",
)
OVER_S = 200.0
"""Every connection has ended by then, whatever came."""


def parser(pieces: Sequence[bytes]) -> None:
    """We read what h11 reads, or refuse, however the bytes are split."""
    assert compare(pieces) == ours([b"".join(pieces)])


def connection(pieces: Sequence[bytes]) -> None:
    """What the parser finds is answered, in order and once; whoever leaves, and whenever, it is over soon."""
    raw = b"".join(pieces)
    dice = random.Random(raw)  # noqa: S311 - the same bytes, the same conversation
    trio.run(_converse, ours([raw]), pieces, dice, clock=MockClock(autojump_threshold=0))


async def _converse(expected: Reading, pieces: Sequence[bytes], dice: random.Random) -> None:
    answer = dice.choice((_polite, _polite, deaf, _stream, _sleepy))
    stays = dice.random() < 0.5
    async with trio.open_nursery() as nursery:
        served = connect(nursery, answer)
        await _send(served, pieces if stays else pieces[: dice.randint(0, len(pieces))], dice)
        if stays:
            await trio.sleep(OVER_S / 2)
        received = await _leave(served)
        with trio.move_on_after(OVER_S):
            while served.ended_at is None:  # noqa: ASYNC110 - the clock jumps
                await trio.sleep(1)
        assert served.ended_at is not None, "it has not ended"
        _judge(served, expected, received, whole=stays and answer is _polite)
        nursery.cancel_scope.cancel()


def _judge(served: Served, expected: Reading, received: bytes, *, whole: bool) -> None:
    """`whole`: the client waited for everything, and every body was read."""
    targets, asked = [read.target.decode() for read in expected.requests], served.responder.asked
    assert asked == targets[: len(asked)]
    assert served.responder.refused <= expected.refused
    if whole and served.result is None:
        assert asked == targets
        assert received.count(b"HTTP/1.1 200 OK\r\n") == sum(read.whole for read in expected.requests)
        assert received.count(b"HTTP/1.1 4") == expected.refused


async def _send(served: Served, pieces: Sequence[bytes], dice: random.Random) -> None:
    try:
        for piece in pieces:
            await served.send(piece)
            if dice.random() < 0.2:
                await trio.sleep(dice.random())
    except trio.BrokenResourceError:
        pass  # it was closed before


async def _leave(served: Served) -> bytes:
    """What had come by then."""
    received = b""
    with trio.move_on_after(0.1):
        async for part in served.client:
            received += part
    await served.client.aclose()
    return received


async def _polite(exchange: ServerExchange) -> None:
    try:
        await hello(exchange)
    except BadRequest as error:
        exchange.closing = True
        await exchange.reply(error.status, {}, b"")


async def _stream(exchange: ServerExchange) -> None:
    await exchange.start(200, {})
    for _ in range(3):
        await exchange.write(b"part")
        await trio.sleep(0.1)
    await exchange.finish()


async def _sleepy(exchange: ServerExchange) -> None:
    await trio.sleep(3)
    await deaf(exchange)
