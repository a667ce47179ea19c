"""One request on a server's connection, and the answer to it.

A body that nobody reads is let in for a while, into nothing, before the answer: a client that is still sending would
not see it. Where that takes too long, the connection ends with the answer.
"""

import time
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

import trio
from attrs import define, field

from clawgw.http1.request_head import BadRequest, RequestHead
from clawgw.http1.response_writer import CONTINUE, ResponseFields, ResponseWriter, http_date

if TYPE_CHECKING:
    from clawgw.http1.server_connection import Connection

UNREAD_S = 2.0
"""How long a body that nobody reads may go on arriving."""


@define(eq=False)
class ServerExchange:
    """`closing`: the connection ends with this answer. `started` and `ended` tell how far it has come."""

    head: RequestHead
    _connection: "Connection"
    closing: bool = field(init=False)
    started: bool = False
    ended: bool = False
    _writer: ResponseWriter = field(init=False)
    _continued: bool = False

    def __attrs_post_init__(self) -> None:
        self.closing = not self.head.keep_alive
        self._writer = ResponseWriter(self.head)

    def whole_body(self) -> bytes | None:
        """The body, where it has come as a whole and in few pieces; None: `receive` it. Raises BadRequest."""
        if self.head.length is None or self.head.length > self._connection.parser.unread:
            return None
        return self._connection.take_body() or b""

    async def receive(self) -> bytes:
        """The next part of the body, b"" at its end and after it. Raises BadRequest."""
        if self.head.expects_continue and not self._continued and not self.started:
            self._continued = True
            if not self._connection.parser.unread:
                await self._connection.send(CONTINUE)
        return await self._connection.receive_body()

    async def reply(self, status: int, fields: ResponseFields, body: bytes) -> None:
        """Send a whole answer, at once."""
        if not self._connection.parser.body_ended:
            await self._let_body_in()
        self._begin(status, {**fields, "content-length": str(len(body)), "date": _date()})
        await self.finish(body)

    async def start(self, status: int, fields: ResponseFields) -> None:
        """Begin the answer; its head goes out with what follows. Without a content-length the body is in chunks."""
        if not self._connection.parser.body_ended:
            await self._let_body_in()
        self._begin(status, {**fields, "date": _date()})

    async def write(self, data: bytes) -> None:
        """Send a part of the body."""
        await self._connection.send(self._writer.data(data))

    async def finish(self, data: bytes = b"") -> None:
        """Send the last part of the body."""
        self.ended = True
        if last := self._writer.end(data):
            await self._connection.send(last)

    def call_later(self, after_s: float, call: Callable[[], None]) -> Callable[[], None]:
        """Call `call` after so many seconds, unless what is returned is called or the connection ends before."""
        return self._connection.call_later(after_s, call)

    def start_soon(self, work: Callable[[], Awaitable[None]]) -> None:
        """Do some work beside, which must be over before the answer ends."""
        self._connection.nursery.start_soon(work)

    def leave(self) -> None:
        """Take the client for gone."""
        self._connection.leave()

    def _begin(self, status: int, fields: ResponseFields) -> None:
        self.closing = self.closing or self._connection.shared.draining
        self._writer.begin(status, fields, close=self.closing)
        self.started = True

    async def _let_body_in(self) -> None:
        unasked = self.head.expects_continue and not self._continued
        if not self.closing and not unasked:
            with trio.move_on_after(UNREAD_S):
                try:
                    while await self._connection.receive_body():
                        pass
                except BadRequest:
                    self.closing = True
        self.closing = self.closing or not self._connection.parser.body_ended


def _date() -> str:
    return http_date(int(time.time()))
