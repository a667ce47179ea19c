"""The pool as a transport of httpx's: whoever wants redirects, cookies, decoding or forms shares the connections.

Answers stream; bodies of requests are read whole and sent in one write. Time limits are httpx's own: that for reading
covers each wait for the peer.
"""

import math
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import TypeVar

import httpx
import trio
from attrs import frozen

from clawgw.http1.exchange import ClientExchange
from clawgw.http1.faults import AnswerTooLarge, BrokenOff, ConnectTimeout, InvalidAnswer, NotConnected, PeerFault
from clawgw.http1.pool import Pool, origin_of
from clawgw.http1.request_writer import NotSendable, head_without_length, with_body, without_body

T = TypeVar("T")

_ERRORS: dict[type[PeerFault], type[httpx.TransportError]] = {
    NotConnected: httpx.ConnectError,
    ConnectTimeout: httpx.ConnectTimeout,
    BrokenOff: httpx.ReadError,
    InvalidAnswer: httpx.RemoteProtocolError,
    AnswerTooLarge: httpx.RemoteProtocolError,
}
_FRAMING = frozenset({"content-length", "transfer-encoding"})
_WITH_BODY = frozenset({"POST", "PUT", "PATCH"})


@frozen(eq=False)
class PoolTransport(httpx.AsyncBaseTransport):
    """For `httpx.AsyncClient(transport=…)`. The pool belongs to whoever made it, and outlives the client."""

    _pool: Pool
    _allow_private_network: bool = False

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request and wait for the head of its answer. Raises `httpx.TransportError`."""
        limits = {name: math.inf if limit is None else limit for name, limit in _timeout(request).items()}
        connect_s, read_s = limits.get("connect", math.inf), limits.get("read", math.inf)
        origin = origin_of(request.url, allow_private_network=self._allow_private_network)
        sent = _request_bytes(request, await request.aread())
        exchange = ClientExchange(self._pool, origin, sent, connect_s, to_head=request.method == "HEAD")
        try:
            head = await _awaited(exchange.head, read_s if exchange.resumable else connect_s + read_s)
        except BaseException:
            exchange.abort()
            raise
        fields = [(name.encode("ascii"), value.encode("latin-1")) for name, value in head.fields]
        return httpx.Response(head.status, headers=fields, stream=_Body(exchange, read_s))


@frozen(eq=False)
class _Body(httpx.AsyncByteStream):
    _exchange: ClientExchange
    _read_s: float

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self

    async def __anext__(self) -> bytes:
        if data := await _awaited(self._exchange.receive, self._read_s):
            return data
        raise StopAsyncIteration

    async def aclose(self) -> None:
        """Cut the connection, unless the body has been read to its end."""
        self._exchange.abort()


async def _awaited(wait: Callable[[float], Awaitable[T]], limit_s: float) -> T:
    try:
        return await wait(trio.current_time() + limit_s)
    except trio.TooSlowError:
        raise httpx.ReadTimeout(f"nothing came within {limit_s:g} s") from None
    except PeerFault as fault:
        raise _ERRORS[type(fault)](str(fault)) from fault


def _timeout(request: httpx.Request) -> dict[str, float | None]:
    limits: dict[str, float | None] = request.extensions.get("timeout", {})
    return limits


def _request_bytes(request: httpx.Request, body: bytes) -> bytes:
    headers = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in request.headers.raw]
    fields = [(name, value) for name, value in headers if name.lower() not in _FRAMING]
    try:
        head = head_without_length(request.method, request.url.raw_path.decode("ascii"), fields)
    except NotSendable as error:
        raise httpx.LocalProtocolError(str(error)) from None
    return with_body(head, body) if body or request.method in _WITH_BODY else without_body(head)
