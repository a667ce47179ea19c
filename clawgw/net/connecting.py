"""TCP and TLS to upstreams: a name is resolved once, its addresses are checked, and only those are connected to.

So a name that resolves to one address when it is checked and to another when it is used gains nothing.
"""

import contextlib
import itertools
import os
import socket
import ssl
from collections.abc import Iterable, Sequence
from typing import Any

import trio

from clawgw.net.addresses import is_public
from clawgw.net.tcp import Tcp
from clawgw.net.tls import Tls

CONNECTION_ATTEMPT_DELAY_S = 0.25
"""How long one address is tried before the next is tried beside it (RFC 8305, section 5)."""

Entry = tuple[Any, Any, int, Any, Any]
"""A row of `getaddrinfo`: family, type, protocol, canonical name, socket address."""


class ForbiddenAddressError(OSError):
    """A name that leads to loopback, private, link-local or otherwise not public addresses only."""


async def connect(
    host: str,
    port: int,
    *,
    tls: ssl.SSLContext | None,
    allow_private_network: bool,
    session: ssl.SSLSession | None = None,
) -> Tcp | Tls:
    """Connect to a host, and speak TLS if there is a context. `session` is of an earlier connection to this host.

    Raises OSError, whose text says why: `ForbiddenAddressError`, a resolver's or the system's error, or what TLS made
    of the peer. It has no time limit of its own.
    """
    tcp = Tcp(await _first_connected(await _resolve(host, port, allow_private_network=allow_private_network)))
    if tls is None:
        return tcp
    try:
        link = Tls(tcp, tls, host, session)
        await link.handshake()
    except (ssl.SSLError, trio.BrokenResourceError) as error:
        tcp.cut()
        raise OSError(_tls_complaint(error)) from error
    except BaseException:
        tcp.cut()
        raise
    return link


def _tls_complaint(cause: Exception) -> str:
    if isinstance(cause, ssl.SSLCertVerificationError):
        return f"TLS: {cause.verify_message}"
    if isinstance(cause, ssl.SSLEOFError) or not isinstance(cause, ssl.SSLError):
        return "the connection ended during the TLS handshake"
    return f"TLS: {cause.reason.lower().replace('_', ' ')}"


async def _resolve(host: str, port: int, *, allow_private_network: bool) -> list[Entry]:
    entries = await trio.socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    allowed = [entry for entry in entries if allow_private_network or is_public(str(entry[4][0]))]
    if not allowed:
        raise ForbiddenAddressError(
            "its address is loopback, private or reserved, which needs allow_private_network = true"
        )
    return _alternate_families(allowed)


def _alternate_families(entries: Sequence[Entry]) -> list[Entry]:
    """The resolver's order, with the address families taking turns (RFC 8305, section 4)."""
    first = [entry for entry in entries if entry[0] == entries[0][0]]
    other = [entry for entry in entries if entry[0] != entries[0][0]]
    return [entry for pair in itertools.zip_longest(first, other) for entry in pair if entry is not None]


async def _first_connected(entries: Sequence[Entry]) -> socket.socket:
    return await (_connected(entries[0]) if len(entries) == 1 else _raced(entries))


async def _raced(entries: Iterable[Entry]) -> socket.socket:
    """Happy eyeballs (RFC 8305): each address in turn, the next as soon as one fails or is slow; the first one wins."""
    winner: list[socket.socket] = []
    errors: list[OSError] = []

    async def attempt(entry: Entry, failed: trio.Event) -> None:
        try:
            candidate = await _connected(entry)
        except OSError as error:
            errors.append(error)
            failed.set()
            return
        if winner:
            candidate.close()
        else:
            winner.append(candidate)
            nursery.cancel_scope.cancel()

    try:
        async with trio.open_nursery() as nursery:
            for entry in entries:
                failed = trio.Event()
                nursery.start_soon(attempt, entry, failed)
                with trio.move_on_after(CONNECTION_ATTEMPT_DELAY_S):
                    await failed.wait()
    except BaseException:
        for connected in winner:
            connected.close()
        raise
    if not winner:
        raise errors[0]
    return winner[0]


async def _connected(entry: Entry) -> socket.socket:
    """To one address, and closed unless it is returned."""
    candidate = socket.socket(*entry[:3])
    try:
        candidate.settimeout(0)
        with contextlib.suppress(BlockingIOError):
            candidate.connect(entry[4])
        await trio.lowlevel.wait_writable(candidate)
    except BaseException:
        candidate.close()
        raise
    if error := candidate.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):
        candidate.close()
        raise OSError(error, os.strerror(error))
    return candidate
