"""Keeping a client's connection alive while its stream has no winner yet.

The head of a stream waits for the winner, so that an error can still have its own status. Where that takes too long for
the proxies and time-outs on the client's side, 200 goes out without it, and a comment now and then. What is not needed
in most streams costs them next to nothing: a task for it is started only when the time has come.
"""

from collections.abc import Awaitable, Callable

import trio
from attrs import define, field

from clawgw.web.exchange import Exchange

_COMMENT = b": keepalive\n\n"
COMMENT_EVERY_S = 5.0
SEND_S = 10.0
"""A client that does not take so little within this time is taken to have left."""
STREAM_HEADERS = {
    "content-type": "text/event-stream; charset=utf-8",
    "cache-control": "no-cache",
    "x-accel-buffering": "no",
}


def _nothing() -> None:
    """There is nothing to stop."""


@define(eq=False)
class HeaderHold:
    """A timer, and a task when it has rung, beside the one that waits for the winner."""

    exchange: Exchange
    _comments: "_Comments | None" = field(default=None, init=False)
    _stop_waiting: Callable[[], None] = field(default=_nothing, init=False)

    def begin(self, hold_s: float) -> None:
        """Send nothing for `hold_s` seconds (0: not at all), then the head and comments, until `end`.

        A client that takes nothing of them has left.
        """
        self._stop_waiting = self.exchange.call_later(hold_s, self._begin_comments)

    async def end(self) -> None:
        """The winner is known, or that there is none: nothing more is sent from here."""
        self._stop_waiting()
        self._stop_waiting = _nothing  # else both would last until the garbage collector comes by
        if self._comments is not None:
            await self._comments.end()

    def _begin_comments(self) -> None:
        self._comments = _Comments(self.exchange)
        self.exchange.start_soon(self._comments.send)


@define(eq=False)
class _Comments:
    """A task that sends the head and comments."""

    exchange: Exchange
    _scope: trio.CancelScope = field(factory=trio.CancelScope, init=False)
    _over: trio.Event = field(factory=trio.Event, init=False)

    async def send(self) -> None:
        """Until `end`."""
        with self._scope:
            await self._whole(self._first())
            while True:
                await trio.sleep(COMMENT_EVERY_S)
                await self._whole(self.exchange.write(_COMMENT))
        self._over.set()

    async def end(self) -> None:
        """Nothing more is sent once this returns."""
        self._scope.cancel()
        await self._over.wait()

    async def _first(self) -> None:
        await self.exchange.start(200, STREAM_HEADERS)
        await self.exchange.write(_COMMENT)

    async def _whole(self, sending: Awaitable[None]) -> None:
        """Half a send would spoil what is sent next."""
        with trio.move_on_after(SEND_S, shield=True) as scope:
            await sending
        if scope.cancelled_caught:
            self.exchange.leave()
        await trio.lowlevel.checkpoint_if_cancelled()
