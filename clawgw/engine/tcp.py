"""A TCP connection on which every wait can be cancelled and taken up again: nothing that was to go or has come is lost.

Trio's own `SocketStream` does not say how much it has sent when it is cancelled. Here sending only keeps the data;
`flush` sends it, and remembers how far it came. TLS on top of this can be interrupted likewise.
"""

import contextlib
import socket
import struct

import trio
from attrs import define, field

READ_BYTES = 64 * 1024
_RESET_ON_CLOSE = struct.pack("ii", 1, 0)


@define(eq=False)
class Tcp(trio.abc.Stream):
    """A connected socket. Closing it is always a cut: a reset, at once."""

    socket: trio.socket.SocketType
    _unsent: memoryview = field(init=False, default=memoryview(b""), repr=False)

    def __attrs_post_init__(self) -> None:
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    async def send_all(self, data: bytes | bytearray | memoryview) -> None:
        """Keep the data for the next `flush`. It never waits."""
        self._unsent = memoryview(bytes(self._unsent) + data if self._unsent else bytes(data))

    async def flush(self) -> None:
        """Send what is kept. Raises `trio.BrokenResourceError`, and forgets it then."""
        while self._unsent:
            try:
                sent = await self.socket.send(self._unsent)
            except (OSError, trio.ClosedResourceError) as error:
                self._unsent = memoryview(b"")
                raise trio.BrokenResourceError("the peer takes nothing more") from error
            self._unsent = self._unsent[sent:]

    async def receive_some(self, max_bytes: int | None = None) -> bytes:
        """Flush, then what one read brings; b"" at the end. Raises `trio.BrokenResourceError`."""
        await self.flush()
        try:
            return await self.socket.recv(max_bytes or READ_BYTES)
        except (OSError, trio.ClosedResourceError) as error:
            raise trio.BrokenResourceError("the connection broke") from error

    async def wait_send_all_might_not_block(self) -> None:
        """It never blocks."""

    async def aclose(self) -> None:
        """The same as `cut`, for whoever knows streams only."""
        self.cut()
        await trio.lowlevel.checkpoint()

    def cut(self) -> None:
        """Close the socket now. The peer sees a reset; whoever waits here gets `trio.BrokenResourceError`."""
        with contextlib.suppress(OSError):  # EBADF: it is closed already
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
        self.socket.close()

    def is_cut(self) -> bool:
        """Whether `cut` has been called."""
        return self.socket.fileno() == -1

    def is_quiet(self) -> bool:
        """Whether nothing has come unasked: bytes, or the peer's end of the connection."""
        return not self.socket.is_readable()
