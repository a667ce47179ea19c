"""The whole application: every request gets its ids here, then goes to a hot endpoint or to Quart."""

import os
import time
from collections.abc import Awaitable
from typing import Any, cast

import trio
from attrs import frozen

from clawgw.engine.arrival import Arrival
from clawgw.engine.live import Live
from clawgw.errors import InternalError
from clawgw.http1.request_head import BadRequest
from clawgw.http1.server_exchange import ServerExchange
from clawgw.routing.facts import RawHeaders
from clawgw.web.asgi import Application, AsgiExchange, Receive, Scope, Send
from clawgw.web.bugs import report_bug
from clawgw.web.cold import REQUEST_ID, build_cold_app, build_watched_app
from clawgw.web.direct import DirectExchange, refusal
from clawgw.web.exchange import Exchange
from clawgw.web.head import Headers, client_request_id, distrust
from clawgw.web.hot import PARSERS, HotEndpoint
from clawgw.web.identity import RANDOM_BYTES, request_id
from clawgw.web.service import Service


def build_app(service: Service) -> "Front":
    """The application for one `service`."""
    hot = {f"/v1/{name.replace('.', '/')}": HotEndpoint(name, parse, service) for name, parse in PARSERS.items()}
    return Front(service, hot, cast("Any", build_cold_app(service)))


def build_watch_app(service: Service) -> "Front":
    """The application of the listener for whoever watches it."""
    return Front(service, {}, cast("Any", build_watched_app(service)))


@frozen
class Front:
    """The door, an `http1.Responder` and an ASGI 3 application.

    Whatever happens behind it, the client gets an answer and the connection goes on.
    """

    service: Service
    hot: dict[str, HotEndpoint]
    cold: Application

    async def serve(self, http1: ServerExchange) -> None:
        """A request on a connection of ours."""
        live = self.service.gateway.live
        exchange = _direct(http1, http1.head.fields, live)
        with live:
            await self._guard(exchange, self._serve(exchange))

    async def refuse(self, http1: ServerExchange, error: BadRequest) -> None:
        """What came on one and is none."""
        exchange = _direct(http1, (), self.service.gateway.live)
        await self._guard(exchange, exchange.refuse(refusal(error)))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One over ASGI."""
        live, headers = self.service.gateway.live, Headers(scope.get("headers", ()))
        arrival = _arrival(headers, live)
        scope[REQUEST_ID] = arrival.request_id
        if scope["type"] == "http":
            exchange = AsgiExchange(arrival, headers, scope, receive, send)
            with live:
                await self._guard(exchange, self._serve_asgi(exchange))
        else:
            await self.cold(scope, receive, send)

    def _serve(self, exchange: DirectExchange) -> Awaitable[None]:
        endpoint = self.hot.get(exchange.path)
        if endpoint is not None:
            return endpoint.serve(exchange)
        return self.cold(*exchange.as_asgi({REQUEST_ID: exchange.arrival.request_id}))

    async def _serve_asgi(self, exchange: AsgiExchange) -> None:
        doubt = distrust(exchange.headers)
        endpoint = self.hot.get(exchange.scope["path"])
        if doubt is not None:
            exchange.close()
            await exchange.refuse(doubt)
        elif endpoint is not None:
            await endpoint.serve(exchange)
        else:
            await self.cold(exchange.scope, exchange.without_body(), exchange.send)

    async def _guard(self, exchange: Exchange, serving: Awaitable[None]) -> None:
        """A bug must not end the connection's loop, nor even the server."""
        try:
            await serving
        except Exception as error:  # noqa: BLE001 - see above
            report_bug(error, exchange.arrival.request_id)
        else:
            return
        try:
            await exchange.refuse(InternalError("the gateway failed; its log says more under this request id"))
        except Exception as error:  # noqa: BLE001 - see above
            report_bug(error, exchange.arrival.request_id)


def _direct(http1: ServerExchange, fields: RawHeaders, live: Live) -> DirectExchange:
    headers = Headers(fields)
    return DirectExchange(_arrival(headers, live), headers, http1)


def _arrival(headers: Headers, live: Live) -> Arrival:
    now = time.time()
    return Arrival(
        request_id(now, os.urandom(RANDOM_BYTES)),
        client_request_id(headers),
        trio.current_time(),
        now,
        live,
        headers=headers.pairs,
    )
