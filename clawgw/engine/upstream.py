"""The seam to the upstreams: begin a call, wait for what comes as it comes, abort at once.

The engine knows only this. Behind it are HTTP (`engine.http_upstream`), the built-in echo (`engine.echo`), and fakes in
tests. An implementation raises nothing but `WireError` (kinds CONNECT, TIMEOUT, RESET, INVALID, TOO_LARGE) and
`trio.Cancelled`.
"""

from collections.abc import Mapping
from typing import NamedTuple, Protocol

from attrs import frozen


@frozen
class Call:
    """One HTTP request to an upstream: POST `url` with `body`. `connect_s` bounds DNS, TCP and TLS together."""

    url: str
    headers: Mapping[str, str]
    body: bytes
    connect_s: float
    allow_private_network: bool = False


class Head(NamedTuple):
    """How an answer begins. Names of headers are in lower case."""

    status: int
    headers: Mapping[str, str]


class Exchange(Protocol):
    """A call and its answer; owned by whoever opened it, until the answer's end or `abort`."""

    @property
    def resumable(self) -> bool:
        """Whether a wait may be cancelled and taken up again with nothing lost. Not while there is no connection yet.

        Where it is not, whoever cancels a wait aborts the exchange.
        """

    @property
    def written(self) -> bool:
        """Whether the upstream has been sent the whole request."""

    async def head(self) -> Head:
        """Connect where that is needed, send the request, and wait for the head of the answer. It comes once."""

    async def receive(self) -> bytes:
        """The next bytes of the body as they come; b"" at its end, after which the connection is back in its pool."""

    def abort(self) -> None:
        """Close the connection now, without a goodbye and without waiting. Harmless when called again or at the end."""


class Upstream(Protocol):
    """Something that answers calls."""

    def open(self, call: Call) -> Exchange:
        """Begin a call: take an idle connection if there is one. Nothing is sent before its head is waited for."""

    async def aclose(self) -> None:
        """Close what is idle; the owner has ended every call before."""
