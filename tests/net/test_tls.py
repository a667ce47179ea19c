import contextlib
import math
import ssl
from typing import TYPE_CHECKING, cast

import pytest
import trio
from attrs import define, field

from clawgw.net.tls import Tls
from tests.certificates import client_context, server_context

if TYPE_CHECKING:
    from clawgw.net.tcp import Tcp

HOST = "127.0.0.1"


@define
class Peer:
    """A server in memory, in the place of a `Tcp`. Ahead of what it says on its own come `pieces`; then, its end."""

    context: ssl.SSLContext = field(factory=server_context)
    pieces: list[bytes] = field(factory=list)
    sent_bytes: int = 0
    quiet: bool = True
    greeting: bytes = b""
    cuts: int = 0
    took: ssl.MemoryBIO = field(factory=ssl.MemoryBIO)
    says: ssl.MemoryBIO = field(factory=ssl.MemoryBIO)
    tls: ssl.SSLObject = field(init=False)

    def __attrs_post_init__(self) -> None:
        self.tls = self.context.wrap_bio(self.took, self.says, server_side=True)

    def send(self, data: bytes) -> None:
        self.sent_bytes += self.took.write(data)

    async def flush(self, until: float = math.inf) -> None:
        await trio.lowlevel.checkpoint()

    async def receive(self, until: float = math.inf) -> bytes:
        await trio.lowlevel.checkpoint()
        if self.pieces:
            return self.pieces.pop(0)
        self.answer()
        return self.says.read()

    def answer(self) -> None:
        with contextlib.suppress(ssl.SSLWantReadError):
            self.tls.do_handshake()
            self.tls.write(self.greeting)

    def records(self, *texts: bytes) -> bytes:
        """Each as a record of its own."""
        for text in texts:
            self.tls.write(text)
        return self.says.read()

    def goodbye(self) -> bytes:
        with contextlib.suppress(ssl.SSLWantReadError):  # the other's goodbye
            self.tls.unwrap()
        return self.says.read()

    def is_quiet(self) -> bool:
        return self.quiet

    def is_cut(self) -> bool:
        return self.cuts > 0

    def cut(self) -> None:
        self.cuts += 1


async def shaken(peer: Peer, context: ssl.SSLContext | None = None, session: ssl.SSLSession | None = None) -> Tls:
    """A connection to the peer, over which one word has come."""
    link = Tls(cast("Tcp", peer), context or client_context(), HOST, session)
    await link.handshake()
    await link.flush()
    peer.answer()
    peer.pieces.append(peer.records(b"hi"))
    assert await link.receive() == b"hi"
    return link


@pytest.fixture
def peer() -> Peer:
    return Peer()


async def test_all_records_of_one_read_come_in_one_piece(peer: Peer) -> None:
    link = await shaken(peer)
    whole = peer.records(b"one, ", b"two, ", b"three")
    peer.pieces += [whole[:-3], whole[-3:]]
    assert await link.receive() == b"one, two, "
    assert await link.receive() == b"three"


async def test_what_comes_with_the_end_of_the_handshake_is_not_waited_for() -> None:
    client = client_context()
    client.maximum_version = ssl.TLSVersion.TLSv1_2  # its servers have the last word
    peer = Peer()
    link = Tls(cast("Tcp", peer), client, HOST)
    peer.greeting = b"hi"
    await link.handshake()
    peer.pieces.append(b"never read")
    assert await link.receive() == b"hi"


async def test_what_is_sent_arrives_once(peer: Peer) -> None:
    link = await shaken(peer)
    bulk = bytes(range(256)) * 4096
    link.send(bulk[:10])
    link.send(bulk[10:])
    await link.flush()
    await link.flush()
    assert b"".join(iter(lambda: read(peer.tls), b"")) == bulk
    assert link.sent_bytes == peer.sent_bytes > len(bulk)


def read(tls: ssl.SSLObject) -> bytes:
    try:
        return tls.read(65536)
    except ssl.SSLWantReadError:
        return b""


async def test_a_goodbye_is_the_end(peer: Peer) -> None:
    link = await shaken(peer)
    peer.pieces.append(peer.records(b"last") + peer.goodbye())
    assert await link.receive() == b"last"
    for _ in range(2):
        assert await link.receive() == b""


async def test_an_end_without_a_goodbye_is_one_too(peer: Peer) -> None:
    link = await shaken(peer)
    peer.pieces += [peer.records(b"last"), b""]
    assert await link.receive() == b"last"
    for _ in range(2):
        assert await link.receive() == b""


async def test_what_came_before_a_forged_record_is_handed_out(peer: Peer) -> None:
    link = await shaken(peer)
    good, forged = peer.records(b"good"), peer.records(b"bad")
    peer.pieces.append(good + forged[:-1] + bytes([forged[-1] ^ 1]))
    assert await link.receive() == b"good"
    for _ in range(2):
        with pytest.raises(trio.BrokenResourceError):
            await link.receive()


async def test_what_has_come_unasked_is_noticed(peer: Peer) -> None:
    link = await shaken(peer)
    assert link.is_quiet()
    peer.quiet = False
    assert not link.is_quiet()


async def test_what_has_ended_is_not_quiet(peer: Peer) -> None:
    link = await shaken(peer)
    peer.pieces.append(peer.records(b"last") + peer.goodbye())
    assert await link.receive() == b"last"
    assert not link.is_quiet()


async def test_nothing_is_sent_before_the_handshake(peer: Peer) -> None:
    link = Tls(cast("Tcp", peer), client_context(), HOST)
    link.send(b"x")
    with pytest.raises(trio.BrokenResourceError):
        await link.flush()


async def test_it_is_cut_beneath(peer: Peer) -> None:
    link = await shaken(peer)
    assert not link.is_cut()
    link.cut()
    assert peer.cuts == 1
    assert link.is_cut()


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
async def test_the_next_connection_begins_with_the_session_of_the_one_before(version: ssl.TLSVersion) -> None:
    server, client = server_context(), client_context()
    client.maximum_version = version
    first = await shaken(Peer(server), client)
    assert not first.is_resumed
    assert (await shaken(Peer(server), client, first.session)).is_resumed
