"""What a server's connection needs of a stream: read, send all in good time, half-close, close.

A socket is read and written by system calls of our own, between Trio's waits: half of what a small request costs on
`trio.SocketStream` are checkpoints and locks that one reader and one writer do not need.
"""

import os
import socket
from contextlib import suppress
from typing import Protocol

import trio
from attrs import define

READ_BYTES = 64 * 1024
STALL_S = 60.0
"""A client that takes nothing of what is sent to it for so long is gone."""
CLOSE_S = 1.0
"""How long a TLS goodbye may take."""


class Transport(Protocol):
    """Either end is one task's, at a time."""

    async def receive(self) -> bytes:
        """What one read brings; b"" where nothing will come any more, for whatever reason."""

    async def send(self, data: bytes) -> None:
        """Send all of it, without waiting where that can be. Raises `trio.BrokenResourceError`: the peer is gone."""

    async def end(self) -> None:
        """Nothing more will be sent, where the peer can be told so."""

    async def aclose(self) -> None:
        """Close."""


def transport_over(stream: trio.abc.Stream) -> Transport:
    """The best there is for a stream."""
    return SocketTransport(stream.socket) if isinstance(stream, trio.SocketStream) else StreamTransport(stream)


@define(eq=False)
class SocketTransport:
    """A TCP connection."""

    _socket: trio.socket.SocketType

    async def receive(self) -> bytes:
        """See `Transport`."""
        while True:
            await trio.lowlevel.wait_readable(self._socket)
            try:
                return os.read(self._socket.fileno(), READ_BYTES)
            except BlockingIOError:
                continue
            except OSError:
                return b""

    async def send(self, data: bytes) -> None:
        """See `Transport`."""
        sent = self._write(data)
        if sent < len(data):
            await self._send_on(memoryview(data)[sent:])

    async def end(self) -> None:
        """See `Transport`."""
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_WR)

    async def aclose(self) -> None:
        """See `Transport`."""
        self._socket.close()

    async def _send_on(self, rest: memoryview) -> None:
        while rest:
            with trio.move_on_after(STALL_S) as scope:
                await trio.lowlevel.wait_writable(self._socket)
            if scope.cancelled_caught:
                raise trio.BrokenResourceError("the peer takes nothing")
            rest = rest[self._write(rest) :]

    def _write(self, data: bytes | memoryview) -> int:
        try:
            return os.write(self._socket.fileno(), data)
        except BlockingIOError:
            return 0
        except OSError as error:
            raise trio.BrokenResourceError("the connection broke") from error


@define(eq=False)
class StreamTransport:
    """Any stream of Trio's, such as TLS."""

    _stream: trio.abc.Stream

    async def receive(self) -> bytes:
        """See `Transport`."""
        try:
            return bytes(await self._stream.receive_some(READ_BYTES))
        except (trio.BrokenResourceError, trio.ClosedResourceError):
            return b""

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
