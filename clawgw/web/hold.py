"""Keeping a client's connection alive while its stream has no winner yet.

The head of a stream waits for the winner, so that an error can still have its own status. Where that takes too long for
the proxies and time-outs on the client's side, 200 goes out without it, and a comment now and then. What is not needed
in most streams costs them next to nothing: a task for it is started only when the time has come.
"""

from collections.abc import Awaitable, Callable
from functools import partial

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
    _scope: trio.CancelScope = field(factory=trio.CancelScope)
    _over: trio.Event | None = None
    _stop_waiting: Callable[[], None] = _nothing

    def begin(self, hold_s: float) -> None:
        """Send nothing for `hold_s` seconds (0: not at all), then the head and comments, until `end`.

        A client that takes nothing of them has left.
        """
        self._stop_waiting = self.exchange.call_later(hold_s, self._begin_comments)

    async def end(self) -> None:
        """The winner is known, or that there is none: nothing more is sent from here."""
        self._stop_waiting()
        self._scope.cancel()
        if self._over is not None:
            await self._over.wait()

    def _begin_comments(self) -> None:
        self._over = trio.Event()
        self.exchange.start_soon(partial(self._comment, self._over))

    async def _comment(self, over: trio.Event) -> None:
        with self._scope:
            await self._whole(self._first())
            while True:
                await trio.sleep(COMMENT_EVERY_S)
                await self._whole(self.exchange.write(_COMMENT))
        over.set()

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
