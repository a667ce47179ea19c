"""The seam to the upstreams: open a request, read bytes as they come, abort at once.

The engine knows only this. Behind it is httpx today (`engine.httpx_upstream`), the built-in echo (`engine.echo`), and
fakes in tests. An implementation raises nothing but `WireError` (kinds CONNECT, TIMEOUT, RESET, INVALID, TOO_LARGE)
and `trio.Cancelled`.
"""

from collections.abc import Mapping
from typing import Protocol

from attrs import frozen


@frozen
class Call:
    """One HTTP request to an upstream: POST `url` with `body`. `connect_s` bounds DNS, TCP and TLS together."""

    url: str
    headers: Mapping[str, str]
    body: bytes
    connect_s: float
    allow_private_network: bool = False


class UpstreamResponse(Protocol):
    """An answer whose head has come; owned by whoever opened it until `aclose` or `abort`.

    `status`; `headers` with lower-case names.
    """

    status: int
    headers: Mapping[str, str]

    async def receive(self) -> bytes:
        """The next bytes of the body as they come; b"" at its end, after which the connection is back in its pool."""

    def abort(self) -> None:
        """Close the connection now, without a goodbye and without waiting. Harmless when called again or at the end."""


class Upstream(Protocol):
    """Something that answers calls."""

    async def open(self, call: Call) -> UpstreamResponse:
        """Send the request and wait for the answer's head. Cancelling it closes the connection."""

    async def aclose(self) -> None:
        """Close what is idle; the owner has ended every call before."""
