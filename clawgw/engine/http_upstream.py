"""Upstreams over the network: calls over HTTP/1.1, on the connections of `engine.connections`.

A call goes where the configuration says, with what the gateway says, or fails: there are no redirects, proxies, cookies
or credentials from the environment.
"""

import ssl
from collections.abc import Iterable, Mapping
from functools import lru_cache

import h11
import httpx
from attrs import define, field, frozen

from clawgw import __version__
from clawgw.engine.connections import Connections, Origin
from clawgw.engine.http11 import Connection
from clawgw.engine.upstream import Call, Head
from clawgw.wire.codec import Failure, Kind, WireError

_HEADERS = {"accept": "*/*", "accept-encoding": "identity", "user-agent": f"clawgw/{__version__}"}
"""Of every call that does not say otherwise. An answer is read as it comes, so it must not be compressed."""


@frozen
class _Address:
    """What a URL says. `target` is its path and query."""

    scheme: str
    host: str
    port: int
    name: str
    target: bytes


@define(eq=False)
class HttpExchange:
    """An exchange of `HttpUpstream`. It never touches its connection again once that is given back."""

    _connections: Connections
    _origin: Origin
    _request: h11.Request = field(repr=False)
    _body: bytes = field(repr=False)
    _connect_s: float
    _connection: Connection | None = field(init=False, default=None)
    _over: bool = field(init=False, default=False)

    def __attrs_post_init__(self) -> None:
        self._own(self._connections.take(self._origin))

    @property
    def resumable(self) -> bool:
        """Once it has a connection."""
        return self._connection is not None

    @property
    def written(self) -> bool:
        """Whether the whole request has been sent."""
        return self._over or (self._connection is not None and self._connection.written)

    async def head(self) -> Head:
        """The head of the answer. Nothing but connecting has a time limit here."""
        if self._connection is None:
            self._own(await self._connections.connect(self._origin, self._connect_s))
        head = await self._owned().head()
        headers = _joined(head.headers)
        if headers.get("content-encoding", "identity") != "identity":
            self.abort()
            said = f"{self._origin.name}: the answer is compressed, which it was not asked to be"
            raise WireError(Failure(Kind.INVALID, said))
        return Head(head.status_code, headers)

    async def receive(self) -> bytes:
        """What one read brought; b"" at the end."""
        if self._over:
            return b""
        connection = self._owned()
        data = await connection.receive()
        if connection.is_complete():
            self._over = True
            self._connections.give_back(self._origin, connection)
        return data

    def abort(self) -> None:
        """Reset the connection beneath TLS, unless the answer has ended: then it serves others by now."""
        if self._connection is not None and not self._over:
            self._connection.cut()

    def _own(self, connection: Connection | None) -> None:
        self._connection = connection
        if connection is not None:
            connection.begin(self._request, self._body)

    def _owned(self) -> Connection:
        assert self._connection is not None  # noqa: S101  # the head comes first, and connects
        return self._connection


class HttpUpstream:
    """Calls, all on one pool. `ssl_context` None: the usual authorities, or those of SSL_CERT_FILE."""

    def __init__(self, *, ssl_context: ssl.SSLContext | None = None) -> None:
        context = ssl_context or httpx.create_ssl_context()
        context.set_alpn_protocols(["http/1.1"])
        self._connections = Connections(context)

    def open(self, call: Call) -> HttpExchange:
        """Begin a call. Raises `WireError` of kind INVALID where it cannot be sent."""
        address = _parse_url(call.url)
        origin = Origin(address.scheme, address.host, address.port, address.name, call.allow_private_network)
        return HttpExchange(self._connections, origin, _request(call, address), call.body, call.connect_s)

    async def aclose(self) -> None:
        """Close what is idle."""
        self._connections.close()


@lru_cache(maxsize=256)
def _parse_url(text: str) -> _Address:
    try:
        url = httpx.URL(text)
    except httpx.InvalidURL:
        raise WireError(Failure(Kind.INVALID, "the upstream's URL is not valid")) from None
    port = url.port or {"http": 80, "https": 443}[url.scheme]
    return _Address(url.scheme, url.raw_host.decode("ascii"), port, url.netloc.decode("ascii"), url.raw_path)


def _request(call: Call, address: _Address) -> h11.Request:
    """Texts never hold what was to be sent: it may be a key."""
    headers = {**_HEADERS, **{name.lower(): value for name, value in call.headers.items()}}
    headers |= {"host": address.name, "content-length": str(len(call.body))}
    try:
        raw = [(name.encode("ascii"), value.encode("ascii")) for name, value in headers.items()]
        return h11.Request(method=b"POST", target=address.target, headers=raw)
    except UnicodeError:
        said = "a header is not ASCII"
    except h11.LocalProtocolError:
        said = "a header is not allowed in HTTP, check for line breaks"
    raise WireError(Failure(Kind.INVALID, f"the request to {address.name} cannot be sent: {said}"))


def _joined(raw: Iterable[tuple[bytes, bytes]]) -> Mapping[str, str]:
    """The values of a header that comes several times, with commas between them (RFC 9110, section 5.3)."""
    headers: dict[str, str] = {}
    for name, value in raw:
        key, text = name.decode("ascii"), value.decode("latin-1")
        headers[key] = f"{headers[key]}, {text}" if key in headers else text
    return headers
