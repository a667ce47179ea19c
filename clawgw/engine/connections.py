"""The connections to all upstreams, as a transport of httpx: the one used last is used next.

Decided in `docs/decisions/0003-a-transport-of-our-own.md`. A connection is either idle in here, or owned by one
exchange; the exchange gives it back at the answer's end, or cuts it. There are no waiting lines and no background task.
"""

import os
import socket
import ssl
from collections import defaultdict, deque
from collections.abc import Callable
from functools import partial
from math import inf
from typing import Self

import httpx
import trio
from attrs import define, field, frozen

from clawgw.engine.http11 import Connection
from clawgw.engine.network import connect


@frozen
class Origin:
    """What a connection is good for. One that was made with leave to reach private networks serves only its like."""

    scheme: str
    host: str
    port: int
    allow_private_network: bool


@frozen(eq=False)
class _Idle:
    connection: Connection
    expires: float


@define(eq=False)
class Exchange(httpx.AsyncByteStream):
    """The body of one answer. It owns the connection until the body's end, and never touches it afterwards."""

    _connection: Connection
    _give_back: Callable[[Connection], None]
    _over: bool = field(default=False, init=False)

    async def receive(self) -> bytes:
        """What one read brought; b"" at the end. Raises httpx.TransportError, also after `abort`."""
        if self._over:
            return b""
        data = await self._connection.receive()
        if self._connection.is_complete():
            self._over = True
            self._give_back(self._connection)
        return data

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> bytes:
        if data := await self.receive():
            return data
        raise StopAsyncIteration

    def abort(self) -> None:
        """Cut the connection, unless the body has ended: then it serves others by now."""
        if not self._over:
            self._connection.cut()

    async def aclose(self) -> None:
        """The same as `abort`, for httpx."""
        self.abort()


class Connections(httpx.AsyncBaseTransport):
    """The transport. The `exchange` extension of its answers is their `Exchange`.

    Requests may say `allow_private_network` in their extensions. An idle connection is closed after `idle_s` seconds,
    and the oldest one where an origin has more than `max_idle`. Nothing is ever sent twice: an idle connection that the
    peer has closed is noticed before anything is sent, and what breaks later may have been processed.
    """

    def __init__(self, ssl_context: ssl.SSLContext, *, idle_s: float = 30.0, max_idle: int = 256) -> None:
        self._ssl_context = ssl_context
        self._idle_s = idle_s
        self._max_idle = max_idle
        self._idle: defaultdict[Origin, deque[_Idle]] = defaultdict(deque)
        self._closed = False

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Answer with the head; the body is read from the `Exchange`."""
        body = await request.aread()
        origin = _origin(request)
        connection = self._take(origin) or await self._connect(origin, request.extensions["timeout"]["connect"])
        head = await connection.exchange(
            request.method.encode("ascii"), request.url.raw_path, request.headers.raw, body
        )
        exchange = Exchange(connection, partial(self._put, origin))
        return httpx.Response(
            head.status_code, headers=list(head.headers), stream=exchange, extensions={"exchange": exchange}
        )

    async def aclose(self) -> None:
        """Close what is idle; what is not will be closed when its answer ends."""
        self._closed = True
        for idle in self._idle.values():
            while idle:
                idle.pop().connection.cut()

    async def _connect(self, origin: Origin, timeout_s: float | None) -> Connection:
        tls = self._ssl_context if origin.scheme == "https" else None
        try:
            with trio.fail_after(inf if timeout_s is None else timeout_s):
                link = await connect(
                    origin.host, origin.port, tls=tls, allow_private_network=origin.allow_private_network
                )
        except trio.TooSlowError:
            raise httpx.ConnectTimeout(f"timed out after {timeout_s:g} s") from None
        except (OSError, UnicodeError) as error:
            raise httpx.ConnectError(_reason(error)) from error
        return Connection(link)

    def _take(self, origin: Origin) -> Connection | None:
        now, idle = trio.current_time(), self._idle[origin]
        while idle:
            latest = idle.pop()
            if latest.expires > now and latest.connection.is_quiet():
                return latest.connection
            latest.connection.cut()
        return None

    def _put(self, origin: Origin, connection: Connection) -> None:
        if self._closed:
            connection.cut()
        elif connection.recycle():
            now, idle = trio.current_time(), self._idle[origin]
            idle.append(_Idle(connection, now + self._idle_s))
            if len(idle) > self._max_idle:
                idle.popleft().connection.cut()
            self._close_expired(now)

    def _close_expired(self, now: float) -> None:
        for idle in self._idle.values():
            while idle and idle[0].expires <= now:
                idle.popleft().connection.cut()


def _origin(request: httpx.Request) -> Origin:
    url = request.url
    port = url.port or {"http": 80, "https": 443}[url.scheme]
    return Origin(
        url.scheme, url.raw_host.decode("ascii"), port, request.extensions.get("allow_private_network", False)
    )


def _reason(error: OSError | UnicodeError) -> str:
    """Why connecting failed, without the address."""
    if isinstance(error, socket.gaierror):
        return f"its name cannot be resolved: {error.strerror}"
    if isinstance(error, OSError):
        return os.strerror(error.errno).lower() if error.errno else str(error)
    return "its name is not a host name"
