"""What a server's connection needs of a stream: to be told what comes, to send all in good time, half-close, close.

A socket is read and written by system calls of our own, and what it brings is handed over by a call: half of what a
small request costs on `trio.SocketStream` are checkpoints, locks and tasks that one reader and one writer do not need.
"""

import socket
from collections.abc import Callable
from contextlib import suppress
from typing import Protocol

import trio
from attrs import define, field

from clawgw.net.readiness import Readiness, readiness
from clawgw.net.tcp import READ_BYTES, read_now, write_now

STALL_S = 60.0
"""A client that takes nothing of what is sent to it for so long is gone."""
CLOSE_S = 1.0
"""How long a TLS goodbye may take."""

Took = Callable[[bytes], None]
"""Is given what one read brings; b"" where nothing will come any more, for whatever reason: it is the last call."""


class Transport(Protocol):
    """Sending is one task's, at a time."""

    def listen(self, nursery: trio.Nursery, took: Took) -> None:
        """From now on hand over what comes; with the help of a task, where one is needed."""

    def pause(self) -> None:
        """Hand over nothing more, for now; to be said while something is handed over."""

    def resume(self) -> None:
        """Go on."""

    def stop(self) -> None:
        """Hand over nothing more, ever. What was not handed over can still be read from the stream."""

    async def send(self, data: bytes) -> None:
        """Send all of it, without waiting where that can be. Raises `trio.BrokenResourceError`: the peer is gone."""

    async def end(self) -> None:
        """Nothing more will be sent, where the peer can be told so."""

    async def aclose(self) -> None:
        """Close."""


def transport_over(stream: trio.abc.Stream) -> Transport:
    """The best there is for a stream."""
    return SocketTransport(stream.socket) if isinstance(stream, trio.SocketStream) else StreamTransport(stream)


def _nobody(_: bytes) -> None:
    """Nobody listens yet."""


@define(eq=False)
class SocketTransport:
    """A TCP connection."""

    _socket: trio.socket.SocketType
    _fd: int = field(init=False)
    _took: Took = field(init=False, default=_nobody)
    _readiness: Readiness = field(init=False, factory=readiness)
    _watched: bool = field(init=False, default=False)

    def __attrs_post_init__(self) -> None:
        self._fd = self._socket.fileno()

    def listen(self, nursery: trio.Nursery, took: Took) -> None:  # noqa: ARG002 - it needs no task
        """See `Transport`."""
        self._took = took
        self.resume()

    def pause(self) -> None:
        """See `Transport`."""
        if self._watched:
            self._watched = False
            self._readiness.unwatch(self._fd)

    def resume(self) -> None:
        """See `Transport`."""
        if not self._watched:
            self._watched = True
            self._readiness.watch(self._fd, self._read)

    def stop(self) -> None:
        """See `Transport`."""
        self.pause()

    async def send(self, data: bytes) -> None:
        """See `Transport`."""
        sent = write_now(self._fd, data)
        if sent < len(data):
            await self._send_on(memoryview(data)[sent:])

    async def end(self) -> None:
        """See `Transport`."""
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_WR)

    async def aclose(self) -> None:
        """See `Transport`."""
        self._socket.close()

    def _read(self) -> None:
        try:
            data = read_now(self._fd)
        except trio.BrokenResourceError:
            data = b""
        if data is not None:
            if not data:
                self.pause()
            self._took(data)

    async def _send_on(self, rest: memoryview) -> None:
        while rest:
            with trio.move_on_after(STALL_S) as scope:
                await trio.lowlevel.wait_writable(self._fd)
            if scope.cancelled_caught:
                raise trio.BrokenResourceError("the peer takes nothing")
            rest = rest[write_now(self._fd, rest) :]


@define(eq=False)
class StreamTransport:
    """Any stream of Trio's, such as TLS."""

    _stream: trio.abc.Stream
    _flowing: trio.Event = field(init=False, factory=trio.Event)

    def listen(self, nursery: trio.Nursery, took: Took) -> None:
        """See `Transport`."""
        self._flowing.set()
        nursery.start_soon(self._read, took)

    def pause(self) -> None:
        """See `Transport`."""
        self._flowing = trio.Event()

    def resume(self) -> None:
        """See `Transport`."""
        self._flowing.set()

    def stop(self) -> None:
        """See `Transport`: its task ends with the nursery."""

    async def send(self, data: bytes) -> None:
        """See `Transport`."""
        for at in range(0, len(data), READ_BYTES):
            with trio.move_on_after(STALL_S) as scope:
                await self._stream.send_all(data[at : at + READ_BYTES])
            if scope.cancelled_caught:
                raise trio.BrokenResourceError("the peer takes nothing")

    async def end(self) -> None:
        """See `Transport`. TLS cannot."""
        if isinstance(self._stream, trio.abc.HalfCloseableStream):
            with suppress(trio.BrokenResourceError, trio.ClosedResourceError):
                await self._stream.send_eof()

    async def aclose(self) -> None:
        """See `Transport`."""
        with trio.move_on_after(CLOSE_S, shield=True), suppress(trio.BrokenResourceError):
            await self._stream.aclose()

    async def _read(self, took: Took) -> None:
        data = b"more"
        while data:
            await self._flowing.wait()
            try:
                data = bytes(await self._stream.receive_some(READ_BYTES))
            except (trio.BrokenResourceError, trio.ClosedResourceError):
                data = b""
            took(data)
