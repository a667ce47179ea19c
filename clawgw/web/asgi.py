"""An exchange over ASGI's `receive` and `send`: what hypercorn serves, which is HTTP/2.

It knows what the server beneath must be told or spared: that a body nobody wants is let in, for a while and into
nothing, before the answer ends (a client that is still sending would not see it, and a full queue would hold up the
connection); that the `http.disconnect` which follows every whole answer is no news.
"""

from collections.abc import Awaitable, Callable, Iterable, Mapping
from contextlib import suppress
from typing import Any

import trio
from attrs import define, field

from clawgw.errors import ClientClosed
from clawgw.http1.server_exchange import UNREAD_S
from clawgw.web.body import collect
from clawgw.web.exchange import Exchange

Event = dict[str, Any]
Scope = dict[str, Any]
Receive = Callable[[], Awaitable[Event]]
Send = Callable[[Event], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]


@define(eq=False)
class AsgiExchange(Exchange):
    """`receive` and `send` are ASGI's own, with the above seen to; the other methods are shorthands for them."""

    scope: Scope
    _receive: Receive
    _send: Send
    _closing: bool = False
    _started: bool = False
    _ending: bool = False
    _body_read: trio.Event = field(factory=trio.Event)
    _nursery: trio.Nursery | None = None

    @property
    def method(self) -> str:
        """See `Exchange`."""
        return str(self.scope["method"])

    @property
    def started(self) -> bool:
        """See `Exchange`."""
        return self._started

    @property
    def ended(self) -> bool:
        """See `Exchange`."""
        return self._ending

    def close(self) -> None:
        """A stream of HTTP/2 ends by itself: only nobody waits for its body."""
        self._closing = True

    async def read_body(self, max_bytes: int, within_s: float) -> bytes:
        """See `Exchange`."""
        return await collect(self._part, max_bytes, within_s)

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
            if not self._closing:
                await self._let_body_in()
            self._started = True
            event = {**event, "headers": [*event["headers"], *self._missing_headers(event["headers"])]}
        elif not event.get("more_body", False):
            await self._let_body_in()
            self._ending = True
        with suppress(trio.BusyResourceError):  # the server is closing the connection beneath
            await self._send(event)

    def without_body(self) -> Receive:
        """A `receive` for an application that wants no body: an empty one, and then only the disconnect."""
        return empty_body_then(self._departure)

    async def while_there(self, work: Awaitable[None]) -> None:
        """See `Exchange`."""
        async with trio.open_nursery() as self._nursery:
            self._nursery.start_soon(self._leave_with_client)
            await work
            self._nursery.cancel_scope.cancel()

    async def start(self, status: int, headers: Mapping[str, str]) -> None:
        """See `Exchange`."""
        raw = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()]
        await self.send({"type": "http.response.start", "status": status, "headers": raw})

    async def write(self, data: bytes) -> None:
        """See `Exchange`."""
        await self.send({"type": "http.response.body", "body": data, "more_body": True})

    async def finish(self, data: bytes = b"") -> None:
        """See `Exchange`."""
        if data and not self._body_read.is_set():
            await self.write(data)
            data = b""
        await self.send({"type": "http.response.body", "body": data, "more_body": False})

    def call_later(self, after_s: float, call: Callable[[], None]) -> Callable[[], None]:
        """See `Exchange`."""
        scope = trio.CancelScope()

        async def wait() -> None:
            with scope:
                await trio.sleep(after_s)
                call()

        self.start_soon(wait)
        return scope.cancel

    def start_soon(self, work: Callable[[], Awaitable[None]]) -> None:
        """See `Exchange`."""
        if self._nursery is None:
            raise RuntimeError("there is no work under way")
        self._nursery.start_soon(work)

    def leave(self) -> None:
        """See `Exchange`."""
        if self._nursery is not None:
            self._nursery.cancel_scope.cancel()

    async def _part(self) -> bytes:
        """The next part of the body, b"" at its end."""
        while not self._body_read.is_set():
            event = await self.receive()
            if event["type"] == "http.disconnect":
                raise ClientClosed("the client left before its request was whole")
            if part := event.get("body", b""):
                return bytes(part)
        return b""

    async def _let_body_in(self) -> None:
        with trio.move_on_after(UNREAD_S):
            await self._body_read.wait()

    async def _departure(self) -> Event:
        while (event := await self.receive())["type"] != "http.disconnect":
            pass
        return event

    async def _leave_with_client(self) -> None:
        await self._departure()
        self.leave()

    def _missing_headers(self, present: Iterable[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
        names = {name for name, _ in present}
        own = [(name.encode(), value.encode()) for name, value in self.own_headers().items()]
        return [(name, value) for name, value in own if name not in names]


def empty_body_then(departure: Callable[[], Awaitable[Event]]) -> Receive:
    """A `receive` that gives an empty body, and then whatever says that the client has left."""
    told = False

    async def receive() -> Event:
        nonlocal told
        if told:
            return await departure()
        told = True
        return {"type": "http.request", "body": b"", "more_body": False}

    return receive
