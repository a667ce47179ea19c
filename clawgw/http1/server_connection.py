"""One HTTP/1.1 connection of the server's: a task that reads and a task that answers, for as long as it lasts.

The reader never waits for an answer: it notices at once when the client leaves, and cancels whatever is done for it. A
half-close counts as leaving. What it reads ahead is bounded; then it waits, and TCP makes the client wait. Nothing is
made per request beside the request itself: no nursery, no lock, no channel, no cancel scope.
"""

from typing import Protocol

import trio
from attrs import define, field

from clawgw.http1.alarms import Alarms
from clawgw.http1.request_head import UNREADABLE, BadRequest, RequestHead
from clawgw.http1.request_parser import RequestParser
from clawgw.http1.server_exchange import ServerExchange
from clawgw.http1.server_transport import Transport

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
    heads: Alarms = field(factory=Alarms)
    """Rings for connections that are; they are those that a drain closes."""
    holds: Alarms = field(factory=Alarms)
    draining: bool = False


@define(eq=False)
class Connection:
    """`serve` serves it to its end; the other methods are for the exchange of the moment."""

    shared: Shared
    _transport: Transport
    parser: RequestParser = field(factory=RequestParser)
    nursery: trio.Nursery = field(init=False)
    _came: trio.lowlevel.ParkingLot = field(factory=trio.lowlevel.ParkingLot)
    _wanted: trio.lowlevel.ParkingLot = field(factory=trio.lowlevel.ParkingLot)
    _lingering: bool = False

    async def serve(self) -> bytes | None:
        """Until either side has enough of it.

        Where a request asks for a WebSocket: the bytes of it and of all that came after it; nothing was answered.
        """
        handed_on = False
        async with trio.open_nursery() as self.nursery:
            self.nursery.start_soon(self._read)
            handed_on = await self._answer()
            self.nursery.cancel_scope.cancel()
        return self.parser.hand_on() if handed_on else None

    async def receive_body(self) -> bytes:
        """What there is of the body, b"" at its end. Raises BadRequest."""
        while (part := self.take_body()) is None:
            await self._came.park()
        return part

    def take_body(self) -> bytes | None:
        """The same without waiting; None: nothing has come."""
        part = self.parser.next_body()
        if self._wanted:
            self._wanted.unpark_all()
        return part

    async def send(self, data: bytes) -> None:
        """Send all of it. Where the client is gone, everything is cancelled that is done for it."""
        try:
            await self._transport.send(data)
        except trio.BrokenResourceError:
            self.leave()
            await trio.lowlevel.checkpoint()

    def leave(self) -> None:
        """The client has gone, or is to be taken for gone."""
        self.nursery.cancel_scope.cancel()

    async def _read(self) -> None:
        parser, receive = self.parser, self._transport.receive
        while data := await receive():
            if self._lingering:
                continue
            parser.receive(data)
            self._came.unpark()
            while parser.unread > READ_AHEAD_BYTES and not self._lingering:
                await self._wanted.park()
        self.leave()

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
        shared, ring = self.shared, self.nursery.cancel_scope.cancel
        if shared.draining:
            ring()
        shared.heads.set(ring, shared.head_s)
        try:
            while head is None:
                self._wanted.unpark_all()
                await self._came.park()
                head = self.parser.next_head()
        finally:
            shared.heads.clear(ring)
        return head

    async def _linger(self) -> None:
        """A close while the client sends would be a reset, and might keep the answer from it."""
        self._lingering = True
        self._wanted.unpark_all()
        await self._transport.end()
        await trio.sleep(LINGER_S)
