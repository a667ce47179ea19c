"""The whole ASGI application: every request gets its ids here, then goes to a hot endpoint or to Quart."""

import os
import time
from typing import Any, cast

import trio
from attrs import frozen

from clawgw.engine.arrival import Arrival
from clawgw.engine.live import Live
from clawgw.errors import InternalError
from clawgw.web import identity
from clawgw.web.bugs import report_bug
from clawgw.web.cold import REQUEST_ID, build_cold_app
from clawgw.web.exchange import Application, Exchange, Receive, Scope, Send
from clawgw.web.head import Headers, distrust
from clawgw.web.hot import PARSERS, HotEndpoint
from clawgw.web.service import Service


def build_app(service: Service) -> Application:
    """The application for one `service`."""
    hot = {f"/v1/{name.replace('.', '/')}": HotEndpoint(name, parse, service) for name, parse in PARSERS.items()}
    return Front(service, hot, cast("Any", build_cold_app(service)))


@frozen
class Front:
    """The door. Whatever happens behind it, the client gets an answer and the connection goes on."""

    service: Service
    hot: dict[str, HotEndpoint]
    cold: Application

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI 3."""
        live = self.service.gateway.live
        arrival = _arrival(scope.get("headers", ()), live)
        scope[REQUEST_ID] = arrival.request_id
        if scope["type"] == "http":
            with live.serving():
                await self._answer(Exchange(scope, receive, send, arrival))
        else:
            await self.cold(scope, receive, send)

    async def _answer(self, exchange: Exchange) -> None:
        try:
            await self._serve(exchange)
        except Exception as error:  # noqa: BLE001 - a bug must not end the connection's loop
            report_bug(error, exchange.arrival.request_id)
            await exchange.refuse(InternalError("the gateway failed; its log says more under this request id"))

    async def _serve(self, exchange: Exchange) -> None:
        doubt = distrust(exchange.scope["headers"])
        endpoint = self.hot.get(exchange.scope["path"])
        if doubt is not None:
            exchange.closing = True
            await exchange.refuse(doubt)
        elif endpoint is not None:
            await endpoint.serve(exchange)
        else:
            await self.cold(exchange.scope, exchange.without_body(), exchange.send)


def _arrival(headers: Headers, live: Live) -> Arrival:
    now = time.time()
    return Arrival(
        request_id=identity.request_id(now, os.urandom(identity.RANDOM_BYTES)),
        client_request_id=identity.client_request_id(
            {name.decode("latin-1"): value.decode("latin-1") for name, value in headers}
        ),
        started=trio.current_time(),
        now=now,
        live=live,
        headers=headers,
    )
