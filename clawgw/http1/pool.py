"""The connections to all peers that are asked: the one used last is used next.

Decided in `docs/decisions/0003-a-transport-of-our-own.md`. A connection is either idle in here, or owned by one
exchange, which gives it back at the answer's end, or cuts it. There are no waiting lines and no background task.
"""

import os
import socket
import ssl
from collections import defaultdict, deque
from typing import NamedTuple

import httpx
import trio
from attrs import define, field

from clawgw.http1.client import ClientConnection
from clawgw.http1.faults import ConnectTimeout, NotConnected
from clawgw.net.alarms import alarms
from clawgw.net.connecting import connect
from clawgw.net.tls import Tls

SWEEP_S = 1.0
"""How long at least passes before all origins are looked through again for connections that have expired."""


class Origin(NamedTuple):
    """What a connection is good for. One that was made with leave to reach private networks serves only its like.

    `name` is the host, with the port where it is not the scheme's own.
    """

    scheme: str
    host: str
    port: int
    name: str
    allow_private_network: bool


def origin_of(url: httpx.URL, *, allow_private_network: bool) -> Origin:
    """Where a URL of http or https leads."""
    port = url.port or {"http": 80, "https": 443}[url.scheme]
    name = url.netloc.decode("ascii")
    return Origin(url.scheme, url.raw_host.decode("ascii"), port, name, allow_private_network)


@define(eq=False)
class Pool:
    """An idle connection is closed after `idle_s` seconds, and the oldest where an origin has `max_idle`.

    Nothing is ever sent twice: an idle connection that the peer has closed is noticed before anything is sent, and what
    breaks later may have been processed. TLS is spoken in one context, and each origin's next connection begins with
    the session of the one before.
    """

    _ssl_context: ssl.SSLContext
    _idle_s: float = 30.0
    _max_idle: int = 256
    _idle: defaultdict[Origin, deque[ClientConnection]] = field(
        init=False, factory=lambda: defaultdict(deque), repr=False
    )
    _will_sweep: bool = field(init=False, default=False)
    _sessions: dict[Origin, ssl.SSLSession] = field(init=False, factory=dict, repr=False)
    _closed: bool = field(init=False, default=False)

    def take(self, origin: Origin) -> ClientConnection | None:
        """An idle connection that looks alive; the caller owns it."""
        now, idle = trio.current_time(), self._idle[origin]
        while idle:
            latest = idle.pop()
            if latest.expires > now and latest.is_quiet():
                return latest
            latest.cut()
        return None

    async def connect(self, origin: Origin, connect_s: float) -> ClientConnection:
        """A new connection; the caller owns it. Raises `NotConnected`."""
        tls = self._ssl_context if origin.scheme == "https" else None
        try:
            with trio.fail_after(connect_s):
                link = await connect(
                    origin.host,
                    origin.port,
                    tls=tls,
                    allow_private_network=origin.allow_private_network,
                    session=self._sessions.get(origin),
                )
        except trio.TooSlowError:
            raise ConnectTimeout(f"connect to {origin.name} timed out after {connect_s:g} s") from None
        except (OSError, UnicodeError) as error:
            self._sessions.pop(origin, None)
            raise NotConnected(f"connect to {origin.name} failed: {_reason(error)}") from error
        return ClientConnection(link)

    def give_back(self, origin: Origin, connection: ClientConnection) -> None:
        """Keep a connection whose answer is at its end for the next call, if it can be."""
        if self._closed:
            connection.cut()
            return
        self._keep_session(origin, connection)
        if connection.recycle():
            idle, connection.expires = self._idle[origin], trio.current_time() + self._idle_s
            idle.append(connection)
            if len(idle) > self._max_idle:
                idle.popleft().cut()
            if not self._will_sweep:
                self._sweep_at(connection.expires)

    def close(self) -> None:
        """Close what is idle; what is not will be closed when its answer ends."""
        self._closed = True
        for idle in self._idle.values():
            while idle:
                idle.pop().cut()

    def _keep_session(self, origin: Origin, connection: ClientConnection) -> None:
        """Of the first answer on a connection: TLS 1.3 sends tickets after the handshake, and reading one is dear."""
        link = connection.link
        if isinstance(link, Tls) and not connection.was_idle and (session := link.session) is not None:
            self._sessions[origin] = session

    def _sweep_at(self, time: float) -> None:
        self._will_sweep = True
        alarms().set(time, self._sweep)

    def _sweep(self) -> None:
        """Close what has expired, of all origins, and come back for the rest."""
        self._will_sweep, now = False, trio.current_time()
        for idle in self._idle.values():
            while idle and idle[0].expires <= now:
                idle.popleft().cut()
        if left := [idle[0].expires for idle in self._idle.values() if idle]:
            self._sweep_at(max(min(left), now + SWEEP_S))


def _reason(error: OSError | UnicodeError) -> str:
    """Why connecting failed, without the address."""
    if isinstance(error, socket.gaierror):
        return f"its name cannot be resolved: {error.strerror}"
    if isinstance(error, OSError):
        return os.strerror(error.errno).lower() if error.errno else str(error)
    return "its name is not a host name"
