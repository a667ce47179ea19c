"""Upstreams over the network: httpx on the connections of `engine.connections`.

Redirects, proxies, cookies and credentials from the environment are off: a call goes where the configuration says, with
what the gateway says, or fails. Everything that goes wrong below is renamed here, and only here, to a `WireError`.
"""

import ssl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import lru_cache
from http.cookiejar import CookieJar, DefaultCookiePolicy

import httpx
from attrs import define

from clawgw import __version__
from clawgw.engine.connections import Connections, Exchange
from clawgw.engine.http11 import HeadTooLargeError
from clawgw.engine.upstream import Call
from clawgw.routing.outcome import CONNECT_TIMEOUT
from clawgw.wire.codec import Failure, Kind, WireError

_MEANINGS: tuple[tuple[type[Exception], Kind, str | None, str], ...] = (
    (httpx.ConnectTimeout, Kind.CONNECT, CONNECT_TIMEOUT, "connect to {host} {error}"),
    (httpx.ConnectError, Kind.CONNECT, None, "connect to {host} failed: {error}"),
    (httpx.NetworkError, Kind.RESET, None, "{host}: {error}"),
    (HeadTooLargeError, Kind.TOO_LARGE, None, "{host}: {error}"),
    (httpx.RemoteProtocolError, Kind.INVALID, None, "{host}: {error}"),
    (httpx.LocalProtocolError, Kind.INVALID, None, "the request to {host} cannot be sent: {error}"),
    (UnicodeError, Kind.INVALID, None, "the request to {host} cannot be sent: a header is not ASCII"),
)
"""The first that fits. Texts never hold what was sent."""


@define(eq=False)
class HttpxResponse:
    """An answer of `HttpxUpstream`."""

    status: int
    headers: Mapping[str, str]
    _exchange: Exchange
    _host: str

    async def receive(self) -> bytes:
        """The next bytes as they come; b"" at the end."""
        with _wire_errors(self._host):
            return await self._exchange.receive()

    def abort(self) -> None:
        """Reset the connection now, beneath TLS."""
        self._exchange.abort()


class HttpxUpstream:
    """Calls over HTTP/1.1, all on one pool. `ssl_context` None: the usual authorities, or those of SSL_CERT_FILE."""

    def __init__(self, *, ssl_context: ssl.SSLContext | None = None, idle_s: float = 30.0) -> None:
        context = ssl_context or httpx.create_ssl_context()
        context.set_alpn_protocols(["http/1.1"])
        self._client = httpx.AsyncClient(
            transport=Connections(context, idle_s=idle_s),
            headers={"user-agent": f"clawgw/{__version__}", "accept-encoding": "identity"},
            # What an upstream sets for one of its accounts must not travel with the next.
            cookies=CookieJar(DefaultCookiePolicy(allowed_domains=())),
            trust_env=False,
        )

    async def open(self, call: Call) -> HttpxResponse:
        """Send the request and wait for the answer's head. Nothing but connecting has a time limit here."""
        url = _parse_url(call.url)
        host = url.netloc.decode("ascii")
        with _wire_errors(host):
            request = self._client.build_request(
                "POST",
                url,
                content=call.body,
                headers=call.headers,
                timeout=httpx.Timeout(None, connect=call.connect_s),
                extensions={"allow_private_network": call.allow_private_network},
            )
            answer = await self._client.send(request, stream=True)
        response = HttpxResponse(answer.status_code, dict(answer.headers), answer.extensions["exchange"], host)
        if response.headers.get("content-encoding", "identity") != "identity":
            response.abort()
            raise WireError(Failure(Kind.INVALID, f"{host}: the answer is compressed, which it was not asked to be"))
        return response

    async def aclose(self) -> None:
        """Close what is idle."""
        await self._client.aclose()


@lru_cache(maxsize=256)
def _parse_url(text: str) -> httpx.URL:
    try:
        return httpx.URL(text)
    except httpx.InvalidURL:
        raise WireError(Failure(Kind.INVALID, "the upstream's URL is not valid")) from None


@contextmanager
def _wire_errors(host: str) -> Iterator[None]:
    try:
        yield
    except (httpx.TransportError, UnicodeError) as error:
        kind, code, text = next((kind, code, text) for cause, kind, code, text in _MEANINGS if isinstance(error, cause))
        raise WireError(Failure(kind, text.format(host=host, error=error), code=code)) from None
