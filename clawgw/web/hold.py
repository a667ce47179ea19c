"""Keeping a client's connection alive while its stream has no winner yet.

The head of a stream waits for the winner, so that an error can still have its own status. Where that takes too long for
the proxies and time-outs on the client's side, 200 goes out without it, and a comment now and then.
"""

from collections.abc import Awaitable

import trio
from attrs import define, field

from clawgw.web.exchange import Exchange

COMMENT_EVERY_S = 5.0
SEND_S = 10.0
"""A client that does not take so little within this time is taken to have left."""
STREAM_HEADERS = {
    "content-type": "text/event-stream; charset=utf-8",
    "cache-control": "no-cache",
    "x-accel-buffering": "no",
}


@define
class HeaderHold:
    """A task beside the one that waits for the winner."""

    exchange: Exchange
    _scope: trio.CancelScope = field(factory=trio.CancelScope)
    _over: trio.Event | None = None

    def begin(self, nursery: trio.Nursery, hold_s: float) -> None:
        """Send nothing for `hold_s` seconds (0: not at all), then the head and comments, until `end`.

        A client that takes nothing cancels the nursery.
        """
        self._over = trio.Event()
        nursery.start_soon(self._run, nursery.cancel_scope, hold_s, self._over)

    async def end(self) -> None:
        """The winner is known, or that there is none: nothing more is sent from here."""
        self._scope.cancel()
        if self._over is not None:
            await self._over.wait()

    async def _run(self, everything: trio.CancelScope, hold_s: float, over: trio.Event) -> None:
        with self._scope:
            await trio.sleep(hold_s)
            await self._whole(everything, self.exchange.start(200, STREAM_HEADERS))
            while True:
                await self._whole(everything, self.exchange.write(b": keepalive\n\n"))
                await trio.sleep(COMMENT_EVERY_S)
        over.set()

    async def _whole(self, everything: trio.CancelScope, sending: Awaitable[None]) -> None:
        """Half a send would spoil what is sent next."""
        with trio.move_on_after(SEND_S, shield=True) as scope:
            await sending
        if scope.cancelled_caught:
            everything.cancel()
        await trio.lowlevel.checkpoint_if_cancelled()
