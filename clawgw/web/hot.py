"""The endpoints that carry the traffic, as bare ASGI: read, check, ask the gateway, send."""

from collections.abc import Callable, Mapping
from functools import partial

import trio
from attrs import evolve, frozen

from clawgw.errors import BodyTooLarge, ClientClosed, GatewayError, MethodNotAllowed, RequestTimeout
from clawgw.gateway import PlainAnswer
from clawgw.web.auth import authenticate
from clawgw.web.body import BODY_S, read_body
from clawgw.web.exchange import Exchange
from clawgw.web.head import check_body_head, check_loop
from clawgw.web.hold import STREAM_HEADERS, HeaderHold
from clawgw.web.service import OpenAnswer, Service
from clawgw.wire.checks.parse import parse_chat_request, parse_embeddings_request, parse_text_request
from clawgw.wire.request import EmbeddingsRequest, Request

PARSERS: Mapping[str, Callable[[bytes], Request]] = {
    "chat.completions": parse_chat_request,
    "completions": parse_text_request,
    "embeddings": parse_embeddings_request,
}
"""By the endpoint's name, which is its path with dots."""


@frozen
class HotEndpoint:
    """One of them."""

    name: str
    parse: Callable[[bytes], Request]
    service: Service
    body_s: float = BODY_S

    async def serve(self, exchange: Exchange) -> None:
        """Answer one request. Nothing it raises was told to the client."""
        try:
            request = await self._read(exchange)
        except ClientClosed:
            return
        except GatewayError as error:
            self.service.metrics.refused(self.name, error.status)
            exchange.closing = isinstance(error, BodyTooLarge | RequestTimeout)
            await exchange.refuse(error, {"allow": "POST"} if isinstance(error, MethodNotAllowed) else {})
        else:
            await exchange.while_there(partial(self._answer, exchange, request))

    async def _read(self, exchange: Exchange) -> Request:
        scope, callers = exchange.scope, exchange.arrival.live.snapshot.callers
        exchange.arrival = evolve(exchange.arrival, caller=authenticate(scope["headers"], callers))
        max_body_bytes = exchange.arrival.live.snapshot.settings.server.max_body_bytes
        if scope["method"] != "POST":
            raise MethodNotAllowed("this endpoint takes POST")
        check_body_head(scope["headers"], max_body_bytes)
        check_loop(scope["headers"], self.service.instance)
        return self.parse(await read_body(exchange.receive, max_body_bytes, self.body_s))

    async def _answer(self, exchange: Exchange, request: Request, nursery: trio.Nursery) -> None:
        hold = HeaderHold(exchange)
        if not isinstance(request, EmbeddingsRequest) and request.stream:
            hold.begin(nursery, exchange.arrival.live.snapshot.settings.server.header_hold_s)
        try:
            answer = await self.service.gateway.answer(request, exchange.arrival)
        except GatewayError as error:
            await hold.end()
            await exchange.fail(error)
            return
        if isinstance(answer, PlainAnswer):
            await exchange.reply(200, {"content-type": "application/json", **answer.headers}, answer.body)
        else:
            await _pass_on(answer, exchange, hold)


async def _pass_on(answer: OpenAnswer, exchange: Exchange, hold: HeaderHold) -> None:
    try:
        await hold.end()
        if not exchange.started:
            await exchange.start(200, {**STREAM_HEADERS, **answer.headers})
        while events := await answer.receive():
            await exchange.write(events)
        await exchange.finish()
    except GatewayError as error:
        await exchange.fail(error)
    finally:
        answer.close()
