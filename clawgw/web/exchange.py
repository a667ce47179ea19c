"""One HTTP request and its answer, over ASGI's `receive` and `send`.

An exchange knows what the server beneath must be told or spared: that a body nobody wants is let in, for a while and
into nothing, before the answer ends (a client that is still sending would not see it, and a full queue would hold up
the connection), and that a connection on which it goes on is closed; that the `http.disconnect` which follows every
whole answer is no news.
"""

import logging
from collections.abc import Awaitable, Callable, Iterable, Mapping
from contextlib import suppress
from typing import Any

import trio
from attrs import define, field

from clawgw.engine.arrival import Arrival
from clawgw.errors import GatewayError
from clawgw.web.error_body import error_event, error_headers, error_json
from clawgw.web.head import may_have_body

log = logging.getLogger("clawgw")

Event = dict[str, Any]
Scope = dict[str, Any]
Receive = Callable[[], Awaitable[Event]]
Send = Callable[[Event], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]

LINGER_S = 2.0
"""How long a body that nobody reads may go on arriving (RFC 9112, 9.6)."""


@define
class Exchange:
    """`receive` and `send` are ASGI's own, with the above seen to; the other methods are shorthands for them."""

    scope: Scope
    _receive: Receive
    _send: Send
    arrival: Arrival
    closing: bool = False
    """The connection ends with this answer, whatever becomes of the body."""
    started: bool = False
    """The head of the answer is out."""
    _ending: bool = False
    _body_read: trio.Event = field(factory=trio.Event)

    def __attrs_post_init__(self) -> None:
        if not may_have_body(self.scope["http_version"], self.scope["headers"]):
            self._body_read.set()

    async def receive(self) -> Event:
        """The next ASGI event. Once the answer has ended there is none."""
        event = await self._receive()
        if event["type"] == "http.disconnect":
            if self._ending:
                await trio.sleep_forever()
        elif not event.get("more_body", False):
            self._body_read.set()
        return event

    async def send(self, event: Event) -> None:
        """Send an ASGI event, its head completed by who we are. While a body is unread, somebody has to `receive`."""
        if event["type"] == "http.response.start":
            if not self.closing:
                self.closing = not await self._body_ends()
            self.started = True
            event = {**event, "headers": [*event["headers"], *self._own_headers(event["headers"])]}
        elif not event.get("more_body", False):
            await self._body_ends()
            self._ending = True
        with suppress(trio.BusyResourceError):  # the server is closing the connection beneath
            await self._send(event)

    def without_body(self) -> Receive:
        """A `receive` for an application that wants no body: an empty one, and then only the disconnect."""
        told = False

        async def receive() -> Event:
            nonlocal told
            if told:
                return await self._departure()
            told = True
            return {"type": "http.request", "body": b"", "more_body": False}

        return receive

    async def while_there(self, work: Callable[[trio.Nursery], Awaitable[None]]) -> None:
        """Do some work and drop what is received meanwhile; a client that leaves cancels it."""
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._cancel_on_departure, nursery.cancel_scope)
            await work(nursery)
            nursery.cancel_scope.cancel()

    async def start(self, status: int, headers: Mapping[str, str]) -> None:
        """Send the head."""
        raw = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()]
        await self.send({"type": "http.response.start", "status": status, "headers": raw})

    async def write(self, data: bytes) -> None:
        """Send a part of the body; more will follow."""
        await self.send({"type": "http.response.body", "body": data, "more_body": True})

    async def finish(self, data: bytes = b"") -> None:
        """Send the last part of the body."""
        if data and not self._body_read.is_set():
            await self.write(data)
            data = b""
        await self.send({"type": "http.response.body", "body": data, "more_body": False})

    async def reply(self, status: int, headers: Mapping[str, str], body: bytes) -> None:
        """Send a whole answer."""
        await self.start(status, {**headers, "content-length": str(len(body))})
        await self.finish(body)

    async def refuse(self, error: GatewayError, headers: Mapping[str, str] | None = None) -> None:
        """`fail`, where nobody else receives; nothing, where the answer has ended."""
        if not self._ending:
            await self.while_there(lambda _: self.fail(error, headers))

    async def fail(self, error: GatewayError, headers: Mapping[str, str] | None = None) -> None:
        """Send an error: as the answer, or as the last event of a stream that has begun."""
        request_id = self.arrival.request_id
        log.log(error.log_level, "%s %d %s", request_id, error.status, error.code or error.type)
        if self.started:
            await self.finish(error_event(error, request_id))
        else:
            await self.reply(error.status, error_headers(error) | dict(headers or {}), error_json(error, request_id))

    async def _body_ends(self) -> bool:
        """Whether the body was read, or is before long by whoever receives."""
        with trio.move_on_after(LINGER_S):
            await self._body_read.wait()
        return self._body_read.is_set()

    async def _departure(self) -> Event:
        while (event := await self.receive())["type"] != "http.disconnect":
            pass
        return event

    async def _cancel_on_departure(self, cancel_scope: trio.CancelScope) -> None:
        await self._departure()
        cancel_scope.cancel()

    def _own_headers(self, present: Iterable[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
        own = {"x-request-id": self.arrival.request_id, "x-clawgw-config": self.arrival.live.snapshot.version}
        if self.arrival.client_request_id is not None:
            own["x-client-request-id"] = self.arrival.client_request_id
        if self.scope["http_version"] < "2" and self.closing:
            own["connection"] = "close"
        names = {name for name, _ in present}
        return [(name.encode(), value.encode()) for name, value in own.items() if name.encode() not in names]
