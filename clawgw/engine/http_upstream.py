"""Upstreams over the network: calls over HTTP/1.1, on the connections of `http1.pool`.

A call goes where the configuration says, with what the gateway says, or fails: there are no redirects, proxies, cookies
or credentials from the environment.
"""

import ssl
from collections.abc import Mapping
from functools import lru_cache

import httpx
from attrs import define

from clawgw import __version__
from clawgw.engine.upstream import Call, Head
from clawgw.http1.exchange import ClientExchange
from clawgw.http1.faults import AnswerTooLarge, BrokenOff, ConnectTimeout, InvalidAnswer, NotConnected, PeerFault
from clawgw.http1.pool import Origin, Pool, origin_of
from clawgw.http1.request_writer import NotSendable, head_without_length, with_body
from clawgw.routing.outcome import CONNECT_TIMEOUT
from clawgw.wire.codec import Failure, Kind, WireError

_HEADERS = {"accept": "*/*", "accept-encoding": "identity", "user-agent": f"clawgw/{__version__}"}
"""Of every call that does not say otherwise. An answer is read as it comes, so it must not be compressed."""


@define(eq=False)
class HttpExchange:
    """An exchange of `HttpUpstream`."""

    _name: str
    _exchange: ClientExchange

    @property
    def resumable(self) -> bool:
        """Once it has a connection."""
        return self._exchange.resumable

    @property
    def written(self) -> bool:
        """Whether the whole request has been sent."""
        return self._exchange.written

    async def head(self) -> Head:
        """The head of the answer. Nothing but connecting has a time limit here."""
        try:
            head = await self._exchange.head()
        except PeerFault as fault:
            raise self._failed(fault) from fault
        if head.headers.get("content-encoding", "identity") != "identity":
            self.abort()
            raise self._failed(InvalidAnswer("the answer is compressed, which it was not asked to be"))
        return Head(head.status, head.headers)

    async def receive(self) -> bytes:
        """What one read brought; b"" at the end."""
        try:
            return await self._exchange.receive()
        except PeerFault as fault:
            raise self._failed(fault) from fault

    def abort(self) -> None:
        """Reset the connection beneath TLS, unless the answer has ended: then it serves others by now."""
        self._exchange.abort()

    def _failed(self, fault: PeerFault) -> WireError:
        if isinstance(fault, NotConnected):
            code = CONNECT_TIMEOUT if isinstance(fault, ConnectTimeout) else None
            return WireError(Failure(Kind.CONNECT, str(fault), code=code))
        return WireError(Failure(_KINDS[type(fault)], f"{self._name}: {fault}"))


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
        origin, target = _place(call.url, call.allow_private_network)
        request = with_body(_head(origin.name, target, tuple(call.headers.items())), call.body)
        return HttpExchange(origin.name, ClientExchange(self.pool, origin, request, call.connect_s))

    async def aclose(self) -> None:
        """Close what is idle."""
        self.pool.close()


@lru_cache(maxsize=256)
def _place(text: str, allow_private_network: bool) -> tuple[Origin, str]:  # noqa: FBT001 - part of a cache's key
    """What a URL says: where to connect to, and the path with its query."""
    try:
        url = httpx.URL(text)
    except httpx.InvalidURL:
        raise WireError(Failure(Kind.INVALID, "the upstream's URL is not valid")) from None
    return origin_of(url, allow_private_network=allow_private_network), url.raw_path.decode("ascii")


@lru_cache(maxsize=256)
def _head(host: str, target: str, given: tuple[tuple[str, str], ...]) -> bytes:
    """The head of every call with these headers: they are the same for all calls with one key."""
    headers = {**_HEADERS, **{name.lower(): value for name, value in given}, "host": host}
    headers.pop("content-length", None)
    try:
        return head_without_length("POST", target, headers.items())
    except NotSendable as error:
        raise WireError(Failure(Kind.INVALID, f"the request to {host} cannot be sent: {error}")) from None
