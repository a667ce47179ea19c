import socket
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
import trio
import trio.testing
from attrs import frozen

from clawgw.net.connecting import connect
from clawgw.net.tcp import Tcp
from tests.certificates import client_context, server_context

BULK = bytes(range(256)) * 16 * 1024
"""More than a socket takes at once, and less than would take long: 4 MiB."""


@frozen
class Pair:
    tcp: Tcp
    peer: trio.SocketStream


@pytest.fixture
async def pair() -> AsyncIterator[Pair]:
    with trio.socket.socket() as listener:
        await listener.bind(("127.0.0.1", 0))
        listener.listen()
        ours = socket.create_connection(listener.getsockname())
        ours.settimeout(0)
        accepted, _ = await listener.accept()
    opened = Pair(Tcp(ours), trio.SocketStream(accepted))
    yield opened
    opened.tcp.cut()
    opened.peer.socket.close()


async def read(stream: trio.abc.ReceiveStream, count: int) -> bytes:
    taken = bytearray()
    while len(taken) < count:
        data = await stream.receive_some(65536)
        assert data
        taken += data
    return bytes(taken)


async def test_what_is_sent_goes_out_with_the_flush(pair: Pair) -> None:
    pair.tcp.send(b"a")
    pair.tcp.send(b"bc")
    await trio.testing.wait_all_tasks_blocked()
    assert not pair.peer.socket.is_readable()
    await pair.tcp.flush()
    assert await read(pair.peer, 3) == b"abc"


async def test_a_flush_that_is_cancelled_again_and_again_loses_nothing(pair: Pair) -> None:
    pair.tcp.send(BULK)
    interrupted = 0
    async with trio.open_nursery() as nursery:
        while True:
            with trio.CancelScope() as scope:
                nursery.start_soon(interrupt, scope)
                await pair.tcp.flush()
                break
            interrupted += 1
            if interrupted == 1:
                nursery.start_soon(expect_bulk, pair.peer)
    assert interrupted > 0


async def interrupt(scope: trio.CancelScope) -> None:
    await trio.testing.wait_all_tasks_blocked()
    scope.cancel()


async def expect_bulk(peer: trio.SocketStream) -> None:
    assert await read(peer, len(BULK)) == BULK


async def test_a_read_that_is_cancelled_loses_nothing(pair: Pair) -> None:
    with trio.CancelScope() as scope:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(interrupt, scope)
            await pair.tcp.receive()
    assert scope.cancelled_caught
    await pair.peer.send_all(b"x")
    assert await pair.tcp.receive() == b"x"
    await pair.peer.aclose()
    assert await pair.tcp.receive() == b""


async def test_waits_until_a_time_that_are_given_up_lose_nothing(pair: Pair) -> None:
    with pytest.raises(trio.TooSlowError):
        await pair.tcp.receive(soon())
    await pair.peer.send_all(b"x")
    assert await pair.tcp.receive(soon() + 60) == b"x"
    pair.tcp.send(BULK)
    with pytest.raises(trio.TooSlowError):
        await pair.tcp.flush(soon())
    async with trio.open_nursery() as nursery:
        nursery.start_soon(expect_bulk, pair.peer)
        await pair.tcp.flush(soon() + 60)


def soon() -> float:
    return trio.current_time() + 0.01


async def test_what_comes_while_nobody_waits_is_there_when_somebody_does(pair: Pair) -> None:
    for text in (b"one", b"two"):
        await pair.peer.send_all(text)
        assert await pair.tcp.receive() == text
        await pair.peer.send_all(b" more")
        await trio.testing.wait_all_tasks_blocked(0.01)
        assert not pair.tcp.is_quiet()
        assert await pair.tcp.receive() == b" more"
        assert pair.tcp.is_quiet()


async def test_a_peer_that_never_pauses_does_not_hold_up_others(pair: Pair, nursery: trio.Nursery) -> None:
    nursery.start_soon(pour, pair.peer)
    turns = 0

    async def others() -> None:
        nonlocal turns
        while True:
            turns += 1
            await trio.lowlevel.checkpoint()

    nursery.start_soon(others)
    received = reads = 0
    while received < len(BULK):
        received += len(await pair.tcp.receive())
        reads += 1
    assert turns >= reads - 1 > 0
    nursery.cancel_scope.cancel()


async def pour(peer: trio.SocketStream) -> None:
    await peer.send_all(BULK)


async def test_what_the_peer_takes_no_more_is_forgotten(pair: Pair) -> None:
    pair.tcp.send(BULK)
    reset(pair.peer)
    with pytest.raises(trio.BrokenResourceError):
        await pair.tcp.flush()
    await pair.tcp.flush()


async def test_a_reset_breaks_a_read(pair: Pair) -> None:
    reset(pair.peer)
    with pytest.raises(trio.BrokenResourceError):
        await pair.tcp.receive()


def reset(peer: trio.SocketStream) -> None:
    peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    peer.socket.close()


async def test_a_cut_is_a_reset_for_the_peer_and_may_be_repeated(pair: Pair) -> None:
    assert pair.tcp.is_quiet()
    await pair.peer.send_all(b"x")
    await trio.lowlevel.wait_readable(pair.tcp.socket.fileno())
    assert not pair.tcp.is_quiet()
    assert not pair.tcp.is_cut()
    pair.tcp.cut()
    pair.tcp.cut()
    assert pair.tcp.is_cut()
    with pytest.raises(trio.BrokenResourceError):
        await pair.peer.receive_some()
    with pytest.raises(trio.BrokenResourceError):
        await pair.tcp.receive()


@pytest.mark.parametrize("waiting", ["receive", "flush"])
async def test_a_cut_wakes_whoever_waits(pair: Pair, waiting: str) -> None:
    async def wait() -> None:
        with pytest.raises(trio.BrokenResourceError):
            await getattr(pair.tcp, waiting)()

    if waiting == "flush":
        pair.tcp.send(BULK)
    with trio.fail_after(5):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(wait)
            await trio.testing.wait_all_tasks_blocked()
            pair.tcp.cut()


async def test_tls_over_it_can_be_interrupted_as_well(nursery: trio.Nursery) -> None:
    async def serve(transport: trio.SocketStream) -> None:
        stream = trio.SSLStream(transport, server_context(), server_side=True)
        await stream.do_handshake()
        await told.wait()
        assert await read(stream, len(BULK)) == BULK
        await told_again.wait()
        await stream.send_all(b"thanks")
        await trio.sleep_forever()

    told, told_again = trio.Event(), trio.Event()
    (listener,) = await nursery.start(trio.serve_listeners, serve, await trio.open_tcp_listeners(0, host="127.0.0.1"))
    port = listener.socket.getsockname()[1]
    link = await connect("127.0.0.1", port, tls=client_context(), allow_private_network=True)
    link.send(BULK)
    await interrupted(link.flush)
    with pytest.raises(trio.TooSlowError):
        await link.flush(soon())
    told.set()
    await link.flush()
    await interrupted(link.receive)
    with pytest.raises(trio.TooSlowError):
        await link.receive(soon())
    told_again.set()
    assert await link.receive() == b"thanks"
    link.cut()
    nursery.cancel_scope.cancel()


async def interrupted(wait: Callable[[], Awaitable[object]]) -> None:
    with trio.CancelScope() as scope:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(interrupt, scope)
            await wait()
    assert scope.cancelled_caught
