"""An upstream's stream after its commit point."""

from contextlib import suppress

import trio
from attrs import define

from clawgw.engine.seen import Seen
from clawgw.engine.upstream import Exchange
from clawgw.wire.events import Done, Event, Failed, StreamParser
from clawgw.wire.failure import Failure, Kind, WireError

GOODBYE_S = 0.25
"""How long a finished stream is read on to the end of its body, so that its connection can be used again."""


@define
class OpenStream:
    """Owned by whoever holds it, who receives until the end or aborts. Times are `trio.current_time()`."""

    exchange: Exchange
    parser: StreamParser
    seen: Seen
    _ready: list[Event]
    idle_s: float
    deadline: float
    waited_s: float = 0.0
    """Spent waiting for the upstream."""
    ended: bool = False
    """`Done` or `Failed` has been handed out."""

    async def receive(self) -> list[Event]:
        """What the next read brings, at least one event; the last is `Done` or `Failed`. Raises only Cancelled.

        It comes by itself: what was said before it need not wait for what is done at the end.
        """
        events, self._ready = self._ready, []
        while not events:
            events = await self._read()
            self.seen.note(events)
        if isinstance(events[-1], Done | Failed):
            if len(events) > 1:
                self._ready = [events.pop()]
                return events
            self.ended = True
            if isinstance(events[0], Failed):
                self.abort()
        return events

    async def say_goodbye(self) -> None:
        """After `Done`: give the connection back, or close it where the upstream has more to say."""
        if not self.exchange.ended:
            await self._hear_out(trio.current_time() + GOODBYE_S)
        self.abort()

    def abort(self) -> None:
        """Close it now; harmless at the end."""
        self.exchange.abort()

    async def _hear_out(self, until: float) -> None:
        with suppress(WireError, trio.TooSlowError):
            while not self.exchange.ended and trio.current_time() < until:
                await self.exchange.receive(until)

    async def _read(self) -> list[Event]:
        asked = trio.current_time()
        if asked >= self.deadline:
            return [_too_long()]
        idle_until = asked + self.idle_s
        try:
            data = await self.exchange.receive(min(idle_until, self.deadline))
        except WireError as error:
            return [Failed(error.failure)]
        except trio.TooSlowError:
            return [self._stalled() if idle_until < self.deadline else _too_long()]
        finally:
            self.waited_s += trio.current_time() - asked
        return parsed(self.parser, data, ended=self.exchange.ended)

    def _stalled(self) -> Failed:
        return Failed(Failure(Kind.IDLE, f"the stream stalled for {self.idle_s:g} s"))


def parsed(parser: StreamParser, data: bytes, *, ended: bool) -> list[Event]:
    """What a read brought. `ended`: nothing will follow."""
    events = parser.feed(data)
    return events + parser.finish() if ended else events


def _too_long() -> Failed:
    return Failed(Failure(Kind.TIMEOUT, "the stream took longer than its provider's total_s"))
