"""A TCP connection on which every wait can be cancelled and taken up again: nothing that was to go or has come is lost.

Trio's own `SocketStream` does not say how much it has sent when it is cancelled. It also goes through the scheduler for
every call, where here the system is asked first: mostly, sending does not wait at all, and receiving waits once.
"""

import contextlib
import select
import socket
import struct
from collections.abc import Awaitable, Callable

import trio
from attrs import define, field

Socket = socket.socket
READ_BYTES = 64 * 1024
_RESET_ON_CLOSE = struct.pack("ii", 1, 0)


@define(eq=False)
class Tcp:
    """A connected socket that does not block; a `Link`."""

    socket: Socket
    sent_bytes: int = field(init=False, default=0)
    _unsent: bytes | memoryview = field(init=False, default=b"", repr=False)
    _asked: bool = field(init=False, default=False)
    """Something has just been sent: what comes in answer cannot be there yet."""
    _readable: "select.poll" = field(init=False, factory=select.poll, repr=False)

    def __attrs_post_init__(self) -> None:
        self._readable.register(self.socket, select.POLLIN)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def send(self, data: bytes) -> None:
        """Keep the data for the next `flush`."""
        self._unsent = bytes(self._unsent) + data if self._unsent else data

    async def flush(self) -> None:
        """Send what is kept. Raises `trio.BrokenResourceError`, and forgets it then."""
        while self._unsent and not self._write():
            await self._wait(trio.lowlevel.wait_writable)

    async def receive(self) -> bytes:
        """What one read brings; b"" at the end. Raises `trio.BrokenResourceError`."""
        if not self._asked:
            await trio.lowlevel.checkpoint_if_cancelled()
            if (data := self._read()) is not None:
                await trio.lowlevel.cancel_shielded_checkpoint()  # a peer that never pauses must not hold up others
                return data
        self._asked = False
        while True:
            await self._wait(trio.lowlevel.wait_readable)
            if (data := self._read()) is not None:
                return data

    def cut(self) -> None:
        """Close the socket now. The peer sees a reset; whoever waits here gets `trio.BrokenResourceError`."""
        if self.is_cut():
            return
        with contextlib.suppress(OSError):  # EINVAL: macOS, where the peer has closed it already
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
        trio.lowlevel.notify_closing(self.socket)
        self.socket.close()

    def is_cut(self) -> bool:
        """Whether `cut` has been called."""
        return self.socket.fileno() == -1

    def is_quiet(self) -> bool:
        """Whether nothing has come unasked: bytes, or the peer's end of the connection."""
        return not self._readable.poll(0)

    def _write(self) -> bool:
        """Whether all that is kept has gone."""
        try:
            sent = self.socket.send(self._unsent)
        except BlockingIOError:
            return False
        except OSError as error:
            self._unsent = b""
            raise trio.BrokenResourceError("the peer takes nothing more") from error
        self.sent_bytes += sent
        self._asked = True
        all_gone = sent == len(self._unsent)
        self._unsent = b"" if all_gone else memoryview(self._unsent)[sent:]
        return all_gone

    def _read(self) -> bytes | None:
        """None: nothing is there."""
        try:
            return self.socket.recv(READ_BYTES)
        except BlockingIOError:
            return None
        except OSError as error:
            raise trio.BrokenResourceError("the connection broke") from error

    async def _wait(self, until_ready: Callable[[Socket], Awaitable[None]]) -> None:
        if self.is_cut():
            raise trio.BrokenResourceError("the connection was cut")
        try:
            await until_ready(self.socket)
        except trio.ClosedResourceError as error:
            raise trio.BrokenResourceError("the connection was cut") from error
