"""One HTTP/1.1 connection of the server's: a task that answers, and a call for what comes, for as long as it lasts.

What comes never waits for an answer: it is noticed at once when the client leaves, and whatever is done for it is
cancelled. A half-close counts as leaving. What is read ahead is bounded; then TCP makes the client wait. Nothing is
made per request beside the request itself: no nursery, no lock, no channel, no cancel scope.
"""

from collections.abc import Callable
from typing import Protocol

import trio
from attrs import define, field
from outcome import Value

from clawgw.http1.request_head import UNREADABLE, BadRequest, RequestHead
from clawgw.http1.request_parser import RequestParser
from clawgw.http1.server_exchange import ServerExchange
from clawgw.http1.server_transport import Transport
from clawgw.net.alarms import Alarms, alarms
from clawgw.net.waiter import Waiter

READ_AHEAD_BYTES = 64 * 1024
"""As much of a body, or of the next requests, is kept while nobody asks for it; one read may bring as much again."""
LINGER_S = 2.0
"""How long a client that is still sending may take to notice that its connection ends (RFC 9112, 9.6)."""


class Responder(Protocol):
    """Who answers. Neither may raise anything but what Trio raises when it cancels."""

    async def serve(self, exchange: ServerExchange) -> None:
        """Answer a request."""

    async def refuse(self, exchange: ServerExchange, error: BadRequest) -> None:
        """Answer what is no request."""


@define(eq=False)
class Shared:
    """What all connections have in common."""

    responder: Responder
    head_s: float
    """How long a connection may be without a whole request head: it is idle, or its client is dripping."""
    draining: bool = False
    idle: set["Connection"] = field(factory=set)
    """Those that are waiting for a request's head."""

    def drain(self) -> None:
        """From now on every connection ends with the answer that it is waiting for; those that are idle end now."""
        self.draining = True
        for connection in self.idle:
            connection.leave()


@define(eq=False)
class Connection:
    """`serve` serves it to its end; the other methods are for the exchange of the moment."""

    shared: Shared
    _transport: Transport
    parser: RequestParser = field(factory=RequestParser)
    nursery: trio.Nursery = field(init=False)
    _came: Waiter[None] = field(factory=Waiter)
    _alarms: Alarms = field(factory=alarms)
    _later: set[int] = field(factory=set)
    """Its own among the alarms."""
    _paused: bool = False
    _lingering: bool = False

    async def serve(self) -> bytes | None:
        """Until either side has enough of it.

        Where a request asks for a WebSocket: the bytes of it and of all that came after it; nothing was answered.
        """
        handed_on = False
        async with trio.open_nursery() as self.nursery:
            self._transport.listen(self.nursery, self._take)
            try:
                handed_on = await self._answer()
            finally:
                self._transport.stop()
                while self._later:
                    self._alarms.clear(self._later.pop())
            self.nursery.cancel_scope.cancel()
        return self.parser.hand_on() if handed_on else None

    async def receive_body(self) -> bytes:
        """What there is of the body, b"" at its end. Raises BadRequest."""
        while (part := self.take_body()) is None:
            await self._came.wait()
        return part

    def take_body(self) -> bytes | None:
        """The same without waiting; None: nothing has come."""
        part = self.parser.next_body()
        self._read_on()
        return part

    async def send(self, data: bytes) -> None:
        """Send all of it. Where the client is gone, everything is cancelled that is done for it."""
        try:
            await self._transport.send(data)
        except trio.BrokenResourceError:
            self.leave()
            await trio.lowlevel.checkpoint()

    def call_later(self, after_s: float, call: Callable[[], None]) -> Callable[[], None]:
        """Call `call` after so many seconds, unless what is returned is called or the connection ends before."""
        alarm = self._alarms.set(trio.current_time() + after_s, call)
        self._later.add(alarm)

        def stop() -> None:
            self._alarms.clear(alarm)
            self._later.discard(alarm)

        return stop

    def leave(self) -> None:
        """The client has gone, or is to be taken for gone."""
        self.nursery.cancel_scope.cancel()

    def _take(self, data: bytes) -> None:
        """What has come; b"": the client has left."""
        if not data:
            self.leave()
        elif not self._lingering:
            self.parser.receive(data)
            if self.parser.unread > READ_AHEAD_BYTES:
                self._paused = True
                self._transport.pause()
            self._came.wake(Value(None))

    def _read_on(self) -> None:
        """The reader may have been held up: something of what it read ahead has been taken since."""
        if self._paused and (self._lingering or self.parser.unread <= READ_AHEAD_BYTES):
            self._paused = False
            self._transport.resume()

    async def _answer(self) -> bool:
        """One request after another; whether another protocol is to go on."""
        responder = self.shared.responder
        while True:
            try:
                head = await self._next_head()
            except BadRequest as error:
                await responder.refuse(ServerExchange(UNREADABLE, self), error)
                await self._linger()
                return False
            except trio.TooSlowError:
                return False
            if head.upgrade:
                return True
            exchange = ServerExchange(head, self)
            await responder.serve(exchange)
            if exchange.closing or not exchange.ended:
                if not self.parser.body_ended or self.parser.unread:
                    await self._linger()
                return False

    async def _next_head(self) -> RequestHead:
        head = self.parser.next_head()
        if head is not None:
            await trio.lowlevel.checkpoint()  # the requests of one connection must not keep out those of others
            return head
        if self.shared.draining:
            self.leave()
        until = trio.current_time() + self.shared.head_s
        self.shared.idle.add(self)
        try:
            while head is None:
                self._read_on()
                await self._came.wait(until)
                head = self.parser.next_head()
        finally:
            self.shared.idle.discard(self)
        return head

    async def _linger(self) -> None:
        """A close while the client sends would be a reset, and might keep the answer from it."""
        self._lingering = True
        self._read_on()
        await self._transport.end()
        await trio.sleep(LINGER_S)
