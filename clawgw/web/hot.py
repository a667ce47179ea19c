"""The endpoints that carry the traffic: read, check, ask the gateway, send."""

from collections.abc import Callable, Mapping

from attrs import frozen

from clawgw.errors import BodyTooLarge, ClientClosed, GatewayError, MethodNotAllowed, RequestTimeout
from clawgw.gateway import PlainAnswer
from clawgw.web.auth import authenticate
from clawgw.web.body import BODY_S
from clawgw.web.exchange import Exchange
from clawgw.web.head import check_body_head, check_loop
from clawgw.web.hold import STREAM_HEADERS, HeaderHold
from clawgw.web.service import OpenAnswer, Service
from clawgw.wire.checks.parse import parse_chat_request, parse_embeddings_request, parse_text_request
from clawgw.wire.request import Request

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
            self.service.refused(self.name, exchange.arrival, error)
            if isinstance(error, BodyTooLarge | RequestTimeout):
                exchange.close()
            await exchange.refuse(error, {"allow": "POST"} if isinstance(error, MethodNotAllowed) else {})
        else:
            await exchange.while_there(self._answer(exchange, request))

    async def _read(self, exchange: Exchange) -> Request:
        arrival, headers = exchange.arrival, exchange.headers
        snapshot = arrival.live.snapshot
        arrival.caller = authenticate(headers, snapshot.callers)
        max_body_bytes = snapshot.settings.server.max_body_bytes
        if exchange.method != "POST":
            raise MethodNotAllowed("this endpoint takes POST")
        check_body_head(headers, max_body_bytes)
        check_loop(headers, self.service.instance)
        return self.parse(await exchange.read_body(max_body_bytes, self.body_s))

    async def _answer(self, exchange: Exchange, request: Request) -> None:
        if request.stream:
            await self._stream(exchange, request)
            return
        try:
            answer = await self.service.gateway.answer(request, exchange.arrival)
        except GatewayError as error:
            await exchange.fail(error)
        else:
            await _pass_on(answer, exchange)

    async def _stream(self, exchange: Exchange, request: Request) -> None:
        """The same, with a hold on the head."""
        hold = HeaderHold(exchange)
        hold.begin(exchange.arrival.live.snapshot.settings.server.header_hold_s)
        try:
            answer = await self.service.gateway.answer(request, exchange.arrival)
        except Exception as error:  # noqa: BLE001 - a bug is raised below, when nobody else sends any more
            failure = error
        else:
            await _pass_on(answer, exchange, hold)
            return
        await hold.end()
        try:
            if not isinstance(failure, GatewayError):
                raise failure
            await exchange.fail(failure)
        finally:
            del failure  # its traceback holds this frame


async def _pass_on(answer: PlainAnswer | OpenAnswer, exchange: Exchange, hold: HeaderHold | None = None) -> None:
    if isinstance(answer, PlainAnswer):
        await exchange.reply(200, {"content-type": "application/json", **answer.headers}, answer.body)
        return
    try:
        if hold is not None:
            await hold.end()
        if not exchange.started:
            await exchange.start(200, {**STREAM_HEADERS, **answer.headers})
        while events := await answer.receive():
            if answer.ended:
                await exchange.finish(events)
            else:
                await exchange.write(events)
    except GatewayError as error:
        await exchange.fail(error)
    finally:
        answer.close()
