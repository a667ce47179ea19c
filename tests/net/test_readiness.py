"""Sockets that are watched."""

import socket
from collections.abc import Iterator

import pytest
import trio
import trio.testing

from clawgw.net.readiness import readiness

Pair = tuple[socket.socket, socket.socket]


@pytest.fixture
def pair() -> Iterator[Pair]:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        ours.settimeout(0)
        yield ours, theirs


async def settled() -> None:
    """What has been sent over loopback has been announced."""
    await trio.testing.wait_all_tasks_blocked(0.01)


async def test_it_calls_for_as_long_as_there_is_something_to_read(pair: Pair) -> None:
    ours, theirs = pair
    read: list[bytes] = []
    readiness().watch(ours.fileno(), lambda: read.append(ours.recv(2)))
    await settled()
    assert read == []
    theirs.send(b"abc")
    await settled()
    assert read == [b"ab", b"c"]
    readiness().unwatch(ours.fileno())
    theirs.send(b"d")
    await settled()
    assert read == [b"ab", b"c"]


async def test_the_end_is_something_to_read(pair: Pair) -> None:
    ours, theirs = pair
    ended = trio.Event()
    readiness().watch(ours.fileno(), ended.set)
    theirs.shutdown(socket.SHUT_WR)
    with trio.fail_after(5):
        await ended.wait()
    readiness().unwatch(ours.fileno())


async def test_there_is_one_in_a_run() -> None:
    assert readiness() is readiness()


def test_each_run_has_its_own() -> None:
    async def its_own() -> object:
        return readiness()

    assert trio.run(its_own) is not trio.run(its_own)
