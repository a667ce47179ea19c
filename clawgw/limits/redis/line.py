"""A connection to Redis that waits for nothing: what goes out now, and what has come by now.

redis-py connects, greets and authenticates, by whatever the URL says; then its socket is ours, and hiredis reads.
"""

import ssl
from collections.abc import Callable
from typing import Any

import hiredis
import trio
from redis.connection import DefaultParser

from clawgw.limits.redis.connection import Connection
from clawgw.net.readiness import Readiness, readiness

CHUNK = 64 * 1024
_NOTHING = object()
_LATER = (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError)


class Line:
    """Open until `close`; what is wrong with it is told by `receive`. `watch` is said once, in Trio's thread."""

    def __init__(self, connection: Connection) -> None:
        """Connect, which waits: not for Trio's thread. Raises `RedisError` or `OSError`."""
        connection.connect()
        self._connection = connection
        self._socket = connection._sock  # noqa: SLF001 - redis-py hands it to its parsers in the same way
        self._socket.settimeout(0)
        self._reader = hiredis.Reader(replyError=DefaultParser.parse_error, notEnoughData=_NOTHING)
        self._unsent = bytearray()
        self._stuck = trio.Event()
        self._readiness: Readiness | None = None

    def watch(self, ready: Callable[[], None]) -> None:
        """Call `ready`, which must not raise, for as long as there is something to receive, or the end."""
        self._readiness = readiness()
        self._readiness.watch(self._socket.fileno(), ready)

    def send(self, data: bytes) -> None:
        """Now, as far as it goes, and the rest with `push`."""
        self._unsent += data
        if not self._stuck.is_set():
            self._send()

    def receive(self) -> list[Any]:
        """The answers that have come; of an error its exception. Raises `OSError`, also at the end."""
        try:
            while self._read():
                pass
        except _LATER:
            pass
        answers = []
        while (answer := self._reader.gets()) is not _NOTHING:
            answers.append(answer)
        return answers

    async def push(self) -> None:
        """Send what Redis could not take at once, whenever that happens. Raises `ClosedResourceError`."""
        while True:
            await self._stuck.wait()
            while self._unsent:
                await trio.lowlevel.wait_writable(self._socket)
                self._send()
            self._stuck = trio.Event()

    def close(self) -> None:
        """Whoever waits in `push` hears of it; nobody is called any more."""
        if self._readiness is not None:
            self._readiness.unwatch(self._socket.fileno())
        trio.lowlevel.notify_closing(self._socket)
        self._connection.disconnect()

    def _send(self) -> None:
        try:
            del self._unsent[: self._socket.send(self._unsent)]
        except _LATER:
            pass
        except OSError:
            self._unsent.clear()
        if self._unsent:
            self._stuck.set()

    def _read(self) -> bool:
        """Whether there may be more."""
        data = self._socket.recv(CHUNK)
        if not data:
            raise ConnectionError("closed by Redis")
        self._reader.feed(data)
        return len(data) == CHUNK or isinstance(self._socket, ssl.SSLSocket)
