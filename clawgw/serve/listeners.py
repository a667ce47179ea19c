"""The listening sockets, opened before anything else so that a port in use is said at once."""

import errno
import socket
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack

from clawgw.config.addresses import Bind

BACKLOG = 4096
UNREAD_MS = 60_000
"""A client that takes nothing of what was sent for so long is gone: its connection ends (TCP_USER_TIMEOUT, tcp(7)).
Connections inherit it. Without it one that stops reading could hold up a stop for ever."""
_ANOTHER_PORT = "`--bind HOST:PORT`, and for the metrics `metrics.bind`"
_WAYS_OUT: Mapping[int, str] = {
    errno.EADDRINUSE: f"another program listens there, perhaps another gateway; another port: {_ANOTHER_PORT}",
    errno.EACCES: f"ports below 1024 want privileges; another port: {_ANOTHER_PORT}",
    errno.EADDRNOTAVAIL: "this machine does not have that address: 0.0.0.0 and [::] stand for all it has",
}
"""What to do about an error, by its number (errno)."""


class StartFailed(Exception):
    """The gateway cannot start; the message says why, and what to do."""


def open_listeners(binds: Iterable[Bind]) -> list[socket.socket]:
    """A listening socket for each address of each bind, all or none. Raises `StartFailed`."""
    with ExitStack() as opened:
        listeners = [opened.enter_context(listener) for bind in binds for listener in _open(bind)]
        opened.pop_all()
    return listeners


def bound(listener: socket.socket) -> Bind:
    """Where a socket listens, with its real port."""
    host, port = listener.getsockname()[:2]
    return Bind(host, port)


def _open(bind: Bind) -> Iterator[socket.socket]:
    try:
        for family, address in _addresses(bind):
            yield _listen(family, address)
    except OSError as error:
        said = filter(None, (error.strerror or str(error), _WAYS_OUT.get(error.errno or 0)))
        raise StartFailed(f"cannot listen on {bind}: {'; '.join(said)}") from error
    except UnicodeError as error:
        raise StartFailed(f"cannot listen on {bind}: that is no host's name") from error


def _addresses(bind: Bind) -> list[tuple[int, tuple[object, ...]]]:
    found = socket.getaddrinfo(bind.host, bind.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    return list(dict.fromkeys((family, address) for family, _, _, _, address in found))


def _listen(family: int, address: tuple[object, ...]) -> socket.socket:
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        if hasattr(socket, "TCP_USER_TIMEOUT"):
            listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, UNREAD_MS)
        listener.bind(address)
        listener.listen(BACKLOG)
    except OSError:
        listener.close()
        raise
    return listener
