"""Which IP addresses are hosts on the Internet, and which lead into somebody's own network."""

import ipaddress
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network

_GLOBAL_UNICAST = IPv6Network("2000::/3")
"""The only IPv6 space that is assigned to hosts on the Internet (IANA, IPv6 Global Unicast Address Assignments)."""
_NAT64 = IPv6Network("64:ff9b::/96")
"""IPv4 addresses as IPv6-only networks write them (RFC 6052)."""
_PROTOCOL_ASSIGNMENTS = IPv4Network("192.0.0.0/24")
"""Not global as a whole (IANA, IPv4 Special-Purpose Address Registry); `ipaddress` knows parts of it only."""


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
