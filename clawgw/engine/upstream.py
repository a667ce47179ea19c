"""The seam to the upstreams: begin a call, wait for what comes as it comes, abort at once.

The engine knows only this. Behind it are HTTP (`engine.http_upstream`), the built-in echo (`engine.echo`), and fakes in
tests. An implementation raises nothing but `WireError` (kinds CONNECT, TIMEOUT, RESET, INVALID, TOO_LARGE),
`trio.Cancelled`, and `trio.TooSlowError` where the time until which something is waited for comes first.
"""

import math
from collections.abc import Mapping
from typing import NamedTuple, Protocol

from attrs import frozen

from clawgw.fact import fact


@frozen(eq=False)
class Destination:
    """Where requests go, what heads them, and how long DNS, TCP and TLS may take together: the same for many calls."""

    url: str
    headers: Mapping[str, str]
    connect_s: float
    allow_private_network: bool = False


@fact
class Call:
    """One HTTP request to an upstream: POST `body`."""

    to: Destination
    body: bytes

    @property
    def url(self) -> str:
        """Where it goes."""
        return self.to.url

    @property
    def headers(self) -> Mapping[str, str]:
        """What heads it."""
        return self.to.headers


class AnswerHead(Protocol):
    """How an answer begins. Names of headers are in lower case."""

    @property
    def status(self) -> int:
        """Of a final answer, 200 or more."""

    @property
    def headers(self) -> Mapping[str, str]:
        """One value for each name."""


class Head(NamedTuple):
    """One that did not come over HTTP."""

    status: int
    headers: Mapping[str, str]


class Exchange(Protocol):
    """A call and its answer; owned by whoever opened it, until the answer's end or `abort`.

    `until` is a `trio.current_time()` that is still to come.
    """

    @property
    def resumable(self) -> bool:
        """Whether a wait may be given up and taken up again with nothing lost. Not while there is no connection yet.

        Where it is not, whoever gives up a wait aborts the exchange.
        """

    @property
    def written(self) -> bool:
        """Whether the upstream has been sent the whole request."""

    @property
    def ended(self) -> bool:
        """Whether the answer is known to have come to its end, and the connection is back in its pool."""

    async def head(self, until: float = math.inf) -> AnswerHead:
        """Connect where that is needed, send the request, and wait for the head of the answer. It comes once."""

    async def receive(self, until: float = math.inf) -> bytes:
        """The next bytes of the body as they come; b"" at its end and after it."""

    def abort(self) -> None:
        """Close the connection now, without a goodbye and without waiting. Harmless when called again or at the end."""


class Upstream(Protocol):
    """Something that answers calls."""

    def open(self, call: Call) -> Exchange:
        """Begin a call: take an idle connection if there is one. Nothing is sent before its head is waited for."""

    async def aclose(self) -> None:
        """Close what is idle; the owner has ended every call before."""
