"""A TCP connection on which every wait can be given up and taken up again: nothing that was to go or has come is lost.

Trio's own `SocketStream` does not say how much it has sent when it is cancelled. It also goes through the scheduler for
every call, where here the system is asked first: mostly, sending does not wait at all, and receiving waits once.
"""

import contextlib
import math
import os
import select
import socket
import struct

import trio
from attrs import define, field
from outcome import Error, Value

from clawgw.net.readiness import Readiness, readiness
from clawgw.net.waiter import Waiter

READ_BYTES = 64 * 1024
_CUT = -1
_RESET_ON_CLOSE = struct.pack("ii", 1, 0)


def read_now(fd: int) -> bytes | None:
    """What one read brings; b"" at the end; None: nothing is there. Raises `trio.BrokenResourceError`."""
    try:
        return os.read(fd, READ_BYTES)
    except BlockingIOError:
        return None
    except OSError as error:
        raise trio.BrokenResourceError("the connection broke") from error


def write_now(fd: int, data: bytes | memoryview) -> int:
    """How much of it the system takes at once. Raises `trio.BrokenResourceError`."""
    try:
        return os.write(fd, data)
    except BlockingIOError:
        return 0
    except OSError as error:
        raise trio.BrokenResourceError("the peer takes nothing more") from error


@define(eq=False)
class Tcp:
    """A connected socket that does not block; a `Link`."""

    socket: "socket.socket"
    sent_bytes: int = field(init=False, default=0)
    _fd: int = field(init=False)
    _unsent: bytes | memoryview = field(init=False, default=b"", repr=False)
    _readiness: Readiness = field(init=False, factory=readiness, repr=False)
    _watched: bool = field(init=False, default=False)
    _came: Waiter[bytes] = field(init=False, factory=Waiter, repr=False)
    _readable: "select.poll" = field(init=False, factory=select.poll, repr=False)

    def __attrs_post_init__(self) -> None:
        self._fd = self.socket.fileno()
        self._readable.register(self._fd, select.POLLIN)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def send(self, data: bytes) -> None:
        """Keep the data for the next `flush`."""
        self._unsent = bytes(self._unsent) + data if self._unsent else data

    async def flush(self, until: float = math.inf) -> None:
        """Send what is kept. Raises `trio.TooSlowError`, or `trio.BrokenResourceError` and forgets it then."""
        while self._unsent and not self._write():
            try:
                with trio.fail_at(until):
                    await trio.lowlevel.wait_writable(self._fd)
            except trio.ClosedResourceError as error:
                raise trio.BrokenResourceError("the connection was cut") from error

    async def receive(self, until: float = math.inf) -> bytes:
        """What one read brings; b"" at the end. Raises `trio.TooSlowError`, `trio.BrokenResourceError`."""
        if self._fd == _CUT:
            raise trio.BrokenResourceError("the connection was cut")
        if not self._watched:
            self._watched = True
            self._readiness.watch(self._fd, self._ready)
        return await self._came.wait(until)

    def cut(self) -> None:
        """Close the socket now. The peer sees a reset; whoever waits here gets `trio.BrokenResourceError`."""
        if self.is_cut():
            return
        with contextlib.suppress(OSError):  # EINVAL: macOS, where the peer has closed it already
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
        self._unwatch()
        trio.lowlevel.notify_closing(self._fd)
        self._fd = _CUT
        self.socket.close()
        self._came.wake(Error(trio.BrokenResourceError("the connection was cut")))

    def is_cut(self) -> bool:
        """Whether `cut` has been called."""
        return self._fd == _CUT

    def is_quiet(self) -> bool:
        """Whether nothing has come unasked: bytes, or the peer's end of the connection."""
        return not self._readable.poll(0)

    def _write(self) -> bool:
        """Whether all that is kept has gone."""
        try:
            sent = write_now(self._fd, self._unsent)
        except trio.BrokenResourceError:
            self._unsent = b""
            raise
        self.sent_bytes += sent
        all_gone = sent == len(self._unsent)
        self._unsent = b"" if all_gone else memoryview(self._unsent)[sent:]
        return all_gone

    def _ready(self) -> None:
        """Something has come, or the end. It is read only for a task that waits: else the peer is to wait."""
        if not self._came:
            self._unwatch()
            return
        try:
            data = read_now(self._fd)
        except trio.BrokenResourceError as error:
            self._came.wake(Error(error))
        else:
            if data is not None:
                self._came.wake(Value(data))

    def _unwatch(self) -> None:
        if self._watched:
            self._watched = False
            self._readiness.unwatch(self._fd)
