"""Upstreams over the network: calls over HTTP/1.1, on the connections of `http1.pool`.

A call goes where the configuration says, with what the gateway says, or fails: there are no redirects, proxies, cookies
or credentials from the environment.
"""

import ssl
from collections.abc import Mapping, Sequence
from functools import lru_cache

import httpx
from attrs import define, frozen

from clawgw import __version__
from clawgw.engine.upstream import Call, Head
from clawgw.http1.exchange import ClientExchange
from clawgw.http1.faults import AnswerTooLarge, BrokenOff, ConnectTimeout, InvalidAnswer, NotConnected, PeerFault
from clawgw.http1.pool import Origin, Pool
from clawgw.http1.request_writer import NotSendable, request_bytes
from clawgw.routing.outcome import CONNECT_TIMEOUT
from clawgw.wire.codec import Failure, Kind, WireError

_HEADERS = {"accept": "*/*", "accept-encoding": "identity", "user-agent": f"clawgw/{__version__}"}
"""Of every call that does not say otherwise. An answer is read as it comes, so it must not be compressed."""


@frozen
class _Place:
    """What a URL says. `target` is its path and query."""

    origin: Origin
    target: str


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
        headers = _joined(head.fields)
        if headers.get("content-encoding", "identity") != "identity":
            self.abort()
            raise self._failed(InvalidAnswer("the answer is compressed, which it was not asked to be"))
        return Head(head.status, headers)

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
    """Calls, all on one pool. `ssl_context` None: the usual authorities, or those of SSL_CERT_FILE."""

    def __init__(self, *, ssl_context: ssl.SSLContext | None = None) -> None:
        context = ssl_context or httpx.create_ssl_context()
        context.set_alpn_protocols(["http/1.1"])
        self._pool = Pool(context)

    def open(self, call: Call) -> HttpExchange:
        """Begin a call. Raises `WireError` of kind INVALID where it cannot be sent."""
        place = _place(call.url, call.allow_private_network)
        request = _request(call, place)
        return HttpExchange(place.origin.name, ClientExchange(self._pool, place.origin, request, call.connect_s))

    async def aclose(self) -> None:
        """Close what is idle."""
        self._pool.close()


@lru_cache(maxsize=256)
def _place(text: str, allow_private_network: bool) -> _Place:  # noqa: FBT001 - part of a cache's key
    try:
        url = httpx.URL(text)
    except httpx.InvalidURL:
        raise WireError(Failure(Kind.INVALID, "the upstream's URL is not valid")) from None
    port = url.port or {"http": 80, "https": 443}[url.scheme]
    name = url.netloc.decode("ascii")
    origin = Origin(url.scheme, url.raw_host.decode("ascii"), port, name, allow_private_network)
    return _Place(origin, url.raw_path.decode("ascii"))


def _request(call: Call, place: _Place) -> bytes:
    headers = {**_HEADERS, **{name.lower(): value for name, value in call.headers.items()}}
    headers |= {"host": place.origin.name, "content-length": str(len(call.body))}
    try:
        return request_bytes("POST", place.target, headers.items(), call.body)
    except NotSendable as error:
        said = f"the request to {place.origin.name} cannot be sent: {error}"
        raise WireError(Failure(Kind.INVALID, said)) from None


def _joined(fields: Sequence[tuple[str, str]]) -> Mapping[str, str]:
    """The values of a header that comes several times, with commas between them (RFC 9110, section 5.3)."""
    headers: dict[str, str] = {}
    for name, text in fields:
        headers[name] = f"{headers[name]}, {text}" if name in headers else text
    return headers
