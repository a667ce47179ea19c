"""Addresses: the ones the gateway listens on, and the ones it calls."""

import ipaddress
import re
from urllib.parse import urlsplit

from attrs import frozen

BIND = r"(?:\[([0-9A-Fa-f:.]+)\]|([A-Za-z0-9._-]+)):([0-9]{1,5})"
"""What an address to listen on looks like: an IPv6 address or a host, and a port."""
_URL_CHARACTERS = re.compile(r"[A-Za-z0-9._~:/?#\[\]@!$&'()*+,;=%-]+")
"""RFC 3986, section 2."""


@frozen
class Bind:
    """Where to listen: an address or a host's name, and a port (0: one that is free)."""

    host: str
    port: int

    @property
    def is_loopback(self) -> bool:
        """Whether only this machine can reach it. Of names only `localhost` counts."""
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return self.host == "localhost"

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def parse_bind(text: str) -> Bind:
    """`HOST:PORT` or `[IPv6]:PORT`. Raises ValueError with a message that fits after the key's name."""
    match = re.fullmatch(BIND, text)
    if match is None:
        raise ValueError("must be HOST:PORT or [IPv6]:PORT, such as 127.0.0.1:8080")
    ipv6, host, port = match[1], match[2], int(match[3])
    if port > 65535:
        raise ValueError("must have a port from 0 to 65535")
    if ipv6 is not None and not _is_ipv6(ipv6):
        raise ValueError("must have an IPv6 address between the brackets")
    return Bind(ipv6 or host, port)


def base_url_complaint(url: str, *, allow_private_network: bool) -> str | None:
    """Why a provider's base URL cannot be used, or None. The message never repeats the URL.

    Whether the host's addresses are private is seen when it is called, after DNS.
    """
    if not _URL_CHARACTERS.fullmatch(url):
        return "must be a URL such as https://api.example.com/v1"
    try:
        parts = urlsplit(url)
        parts.port  # noqa: B018 - reading the port is what checks it
    except ValueError:
        return "must be a URL such as https://api.example.com/v1"
    is_allowed = parts.scheme == "https" or (parts.scheme == "http" and allow_private_network)
    conditions = (
        (is_allowed, "must start with https:// (or http://, where allow_private_network = true)"),
        (parts.hostname, "must name a host, such as https://api.example.com/v1"),
        ("@" not in parts.netloc, "must not hold a user or a password: keys go into api_keys"),
        ("?" not in url and "#" not in url, "must not hold a query or a fragment"),
    )
    return next((message for holds, message in conditions if not holds), None)


def _is_ipv6(text: str) -> bool:
    try:
        ipaddress.IPv6Address(text)
    except ValueError:
        return False
    return True
