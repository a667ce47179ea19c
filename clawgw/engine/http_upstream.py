"""Upstreams over the network: calls over HTTP/1.1, on the connections of `http1.pool`.

A call goes where the configuration says, with what the gateway says, or fails: there are no redirects, proxies, cookies
or credentials from the environment.
"""

import math
import ssl
from collections.abc import Mapping
from functools import lru_cache

import httpx
from attrs import define

from clawgw import __version__
from clawgw.engine.upstream import Call, Destination
from clawgw.http1.exchange import ClientExchange
from clawgw.http1.faults import AnswerTooLarge, BrokenOff, ConnectTimeout, InvalidAnswer, NotConnected, PeerFault
from clawgw.http1.pool import Origin, Pool, origin_of
from clawgw.http1.request_writer import NotSendable, head_without_length, with_body
from clawgw.http1.response_head import ResponseHead
from clawgw.routing.outcome import CONNECT_TIMEOUT
from clawgw.wire.failure import Failure, Kind, WireError

_HEADERS = {"accept": "*/*", "accept-encoding": "identity", "user-agent": f"clawgw/{__version__}"}
"""Of every call that does not say otherwise. An answer is read as it comes, so it must not be compressed."""


@define(eq=False)
class HttpExchange(ClientExchange):
    """An exchange of `HttpUpstream`: its faults are `WireError`s."""

    async def head(self, until: float = math.inf) -> ResponseHead:
        """The head of the answer. Connecting has a time limit of its own."""
        try:
            head = await super().head(until)
        except PeerFault as fault:
            raise self._failed(fault) from fault
        if head.headers.get("content-encoding", "identity") != "identity":
            self.abort()
            raise self._failed(InvalidAnswer("the answer is compressed, which it was not asked to be"))
        return head

    async def receive(self, until: float = math.inf) -> bytes:
        """What one read brought; b"" at the end and after it."""
        try:
            return await super().receive(until)
        except PeerFault as fault:
            raise self._failed(fault) from fault

    def _failed(self, fault: PeerFault) -> WireError:
        if isinstance(fault, NotConnected):
            code = CONNECT_TIMEOUT if isinstance(fault, ConnectTimeout) else None
            return WireError(Failure(Kind.CONNECT, str(fault), code=code))
        return WireError(Failure(_KINDS[type(fault)], f"{self._origin.name}: {fault}"))


_KINDS: Mapping[type[PeerFault], Kind] = {
    BrokenOff: Kind.RESET,
    InvalidAnswer: Kind.INVALID,
    AnswerTooLarge: Kind.TOO_LARGE,
}


class HttpUpstream:
    """Calls, all on one pool, which others may share (`http1.httpx_transport`).

    `ssl_context` None: the usual authorities, or those of SSL_CERT_FILE.
    """

    def __init__(self, *, ssl_context: ssl.SSLContext | None = None) -> None:
        context = ssl_context or httpx.create_ssl_context()
        context.set_alpn_protocols(["http/1.1"])
        self.pool = Pool(context)

    def open(self, call: Call) -> HttpExchange:
        """Begin a call. Raises `WireError` of kind INVALID where it cannot be sent."""
        origin, head = _beginning(call.to)
        return HttpExchange(self.pool, origin, with_body(head, call.body), call.to.connect_s)

    async def aclose(self) -> None:
        """Close what is idle."""
        self.pool.close()


@lru_cache(maxsize=256)
def _beginning(to: Destination) -> tuple[Origin, bytes]:
    """Where to connect to, and the head of a call without its length; destinations are made anew for nobody."""
    try:
        url = httpx.URL(to.url)
    except httpx.InvalidURL:
        raise WireError(Failure(Kind.INVALID, "the upstream's URL is not valid")) from None
    origin = origin_of(url, allow_private_network=to.allow_private_network)
    headers = {**_HEADERS, **{name.lower(): value for name, value in to.headers.items()}, "host": origin.name}
    headers.pop("content-length", None)
    try:
        return origin, head_without_length("POST", url.raw_path.decode("ascii"), headers.items())
    except NotSendable as error:
        raise WireError(Failure(Kind.INVALID, f"the request to {origin.name} cannot be sent: {error}")) from None
