"""TCP and TLS to upstreams: a name is resolved once, its addresses are checked, and only those are connected to.

So a name that resolves to one address when it is checked and to another when it is used gains nothing.
"""

import contextlib
import ipaddress
import itertools
import socket
import ssl
from collections.abc import Iterable, Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network
from typing import Any

import trio
from attrs import frozen

from clawgw.engine.tcp import Tcp

CONNECTION_ATTEMPT_DELAY_S = 0.25
"""How long one address is tried before the next is tried beside it (RFC 8305, section 5)."""

_GLOBAL_UNICAST = IPv6Network("2000::/3")
"""The only IPv6 space that is assigned to hosts on the Internet (IANA, IPv6 Global Unicast Address Assignments)."""
_NAT64 = IPv6Network("64:ff9b::/96")
"""IPv4 addresses as IPv6-only networks write them (RFC 6052)."""
_PROTOCOL_ASSIGNMENTS = IPv4Network("192.0.0.0/24")
"""Not global as a whole (IANA, IPv4 Special-Purpose Address Registry); `ipaddress` knows parts of it only."""

Entry = tuple[Any, Any, int, Any, Any]
"""A row of `getaddrinfo`: family, type, protocol, canonical name, socket address."""


class ForbiddenAddressError(OSError):
    """A name that leads to loopback, private, link-local or otherwise not public addresses only."""


@frozen(eq=False)
class Link:
    """A connection to a peer: `stream` to talk over, which is TLS on top of `tcp`, or `tcp` itself.

    What is given to `stream` goes out with `tcp.flush`, or before anything is received. Once connected, a wait may be
    cancelled and taken up again. It is closed by `tcp.cut`: beneath TLS and without its goodbye.
    """

    stream: trio.abc.Stream
    tcp: Tcp


def is_public(address: str) -> bool:
    """Whether an IP address (a scope after `%` is ignored) is a host's on the Internet.

    Loopback, private, link-local, shared (100.64/10), multicast, reserved and unspecified ones are not. An IPv6 address
    that stands for an IPv4 one (mapped, 6to4, NAT64) is judged as that one.
    """
    ip = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(ip, IPv6Address):
        ip = _embedded(ip) or ip
    if isinstance(ip, IPv6Address):
        return ip in _GLOBAL_UNICAST and ip.is_global
    return ip.is_global and not ip.is_multicast and ip not in _PROTOCOL_ASSIGNMENTS


def _embedded(ip: IPv6Address) -> IPv4Address | None:
    if ip in _NAT64:
        return IPv4Address(int(ip) & 0xFFFF_FFFF)
    return ip.ipv4_mapped or ip.sixtofour


async def connect(host: str, port: int, *, tls: ssl.SSLContext | None, allow_private_network: bool) -> Link:
    """Connect to a host, and speak TLS if there is a context.

    Raises OSError, whose text says why: `ForbiddenAddressError`, a resolver's or the system's error, or what TLS made
    of the peer. It has no time limit of its own.
    """
    tcp = await _first_connected(await _resolve(host, port, allow_private_network=allow_private_network))
    if tls is None:
        return Link(tcp, tcp)
    stream = trio.SSLStream(tcp, tls, server_hostname=host, https_compatible=True)
    try:
        await stream.do_handshake()
    except trio.BrokenResourceError as error:
        tcp.cut()
        raise OSError(_tls_complaint(error.__cause__)) from error
    except BaseException:
        tcp.cut()
        raise
    return Link(stream, tcp)


def _tls_complaint(cause: BaseException | None) -> str:
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


async def _first_connected(entries: Iterable[Entry]) -> Tcp:
    """Happy eyeballs (RFC 8305): each address in turn, the next as soon as one fails or is slow; the first one wins."""
    winner: list[trio.socket.SocketType] = []
    errors: list[OSError] = []

    async def attempt(entry: Entry, failed: trio.Event) -> None:
        with contextlib.ExitStack() as stack:
            candidate = stack.enter_context(trio.socket.socket(*entry[:3]))
            try:
                await candidate.connect(entry[4])
            except OSError as error:
                errors.append(error)
                failed.set()
                return
            if not winner:
                winner.append(candidate)
                stack.pop_all()
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
    return Tcp(winner[0])
