"""The connections to all upstreams: the one used last is used next.

Decided in `docs/decisions/0003-a-transport-of-our-own.md`. A connection is either idle in here, or owned by one
exchange, which gives it back at the answer's end, or cuts it. There are no waiting lines and no background task.
"""

import os
import socket
import ssl
from collections import defaultdict, deque

import trio
from attrs import define, field, frozen

from clawgw.engine.http11 import Connection
from clawgw.engine.network import connect
from clawgw.routing.outcome import CONNECT_TIMEOUT
from clawgw.wire.codec import Failure, Kind, WireError


@frozen
class Origin:
    """What a connection is good for. One that was made with leave to reach private networks serves only its like.

    `name` is the host, with the port where it is not the scheme's own.
    """

    scheme: str
    host: str
    port: int
    name: str
    allow_private_network: bool


@frozen(eq=False)
class _Idle:
    connection: Connection
    expires: float


@define(eq=False)
class Connections:
    """The pool. An idle connection is closed after `idle_s` seconds, and the oldest where an origin has `max_idle`.

    Nothing is ever sent twice: an idle connection that the peer has closed is noticed before anything is sent, and what
    breaks later may have been processed.
    """

    _ssl_context: ssl.SSLContext
    _idle_s: float = 30.0
    _max_idle: int = 256
    _idle: defaultdict[Origin, deque[_Idle]] = field(init=False, factory=lambda: defaultdict(deque), repr=False)
    _closed: bool = field(init=False, default=False)

    def take(self, origin: Origin) -> Connection | None:
        """An idle connection that looks alive; the caller owns it."""
        now, idle = trio.current_time(), self._idle[origin]
        while idle:
            latest = idle.pop()
            if latest.expires > now and latest.connection.is_quiet():
                return latest.connection
            latest.connection.cut()
        return None

    async def connect(self, origin: Origin, connect_s: float) -> Connection:
        """A new connection; the caller owns it. Raises `WireError` of kind CONNECT."""
        tls = self._ssl_context if origin.scheme == "https" else None
        try:
            with trio.fail_after(connect_s):
                link = await connect(
                    origin.host, origin.port, tls=tls, allow_private_network=origin.allow_private_network
                )
        except trio.TooSlowError:
            said = f"connect to {origin.name} timed out after {connect_s:g} s"
            raise WireError(Failure(Kind.CONNECT, said, code=CONNECT_TIMEOUT)) from None
        except (OSError, UnicodeError) as error:
            raise WireError(Failure(Kind.CONNECT, f"connect to {origin.name} failed: {_reason(error)}")) from error
        return Connection(origin.name, link)

    def give_back(self, origin: Origin, connection: Connection) -> None:
        """Keep a connection whose answer is at its end for the next call, if it can be."""
        if self._closed:
            connection.cut()
        elif connection.recycle():
            now, idle = trio.current_time(), self._idle[origin]
            idle.append(_Idle(connection, now + self._idle_s))
            if len(idle) > self._max_idle:
                idle.popleft().connection.cut()
            self._close_expired(now)

    def close(self) -> None:
        """Close what is idle; what is not will be closed when its answer ends."""
        self._closed = True
        for idle in self._idle.values():
            while idle:
                idle.pop().connection.cut()

    def _close_expired(self, now: float) -> None:
        for idle in self._idle.values():
            while idle and idle[0].expires <= now:
                idle.popleft().connection.cut()


def _reason(error: OSError | UnicodeError) -> str:
    """Why connecting failed, without the address."""
    if isinstance(error, socket.gaierror):
        return f"its name cannot be resolved: {error.strerror}"
    if isinstance(error, OSError):
        return os.strerror(error.errno).lower() if error.errno else str(error)
    return "its name is not a host name"
