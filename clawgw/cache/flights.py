"""Equal questions at the same time are asked once: the first one asks, the others wait for what it brings.

- It brings an answer: all who wait have it.
- It brings none (an error, an answer that cannot be kept): all who wait ask for themselves, at once. One after the
  other, the last of them would wait for the errors of all before it.
- It leaves (its client has gone): one of those who wait asks in its place, the others go on waiting.

No task is started for any of this, and whoever is cancelled while it waits is missed by nobody.
"""

from typing import Literal

import trio
from attrs import define, field

from clawgw.cache.entry import Entry

PATIENCE_S = 60.0
"""Nobody waits longer: a stream's end may depend on how fast a stranger reads."""

_End = Entry | Literal["nothing", "left"]


@define(eq=False)
class Flight:
    """One question under way. Whoever holds it ends it, once; what comes after that is ignored."""

    _flights: "Flights | None" = field(default=None, repr=False)
    _key: bytes = b""
    _over: trio.Event = field(factory=trio.Event, repr=False)
    _end: _End = "nothing"

    def land(self, entry: Entry | None) -> None:
        """It has brought an answer, or none."""
        self._finish("nothing" if entry is None else entry)

    def leave(self) -> None:
        """Its client has gone before it ended."""
        self._finish("left")

    async def wait(self) -> _End:
        """How it ends."""
        await self._over.wait()
        return self._end

    def _finish(self, end: _End) -> None:
        if not self._over.is_set():
            self._end = end
            if self._flights is not None:
                self._flights.forget(self._key)
            self._over.set()


@define(eq=False)
class Flights:
    """Those of one worker."""

    _by_key: dict[bytes, Flight] = field(init=False, factory=dict)

    async def join(self, key: bytes, patience_s: float = PATIENCE_S) -> Flight | Entry:
        """What another's question has brought; or a flight, for whoever has to ask. Waits for so long at most."""
        with trio.move_on_after(patience_s):
            while (flight := self._by_key.get(key)) is not None:
                end = await flight.wait()
                if end == "nothing":
                    return Flight()
                if isinstance(end, Entry):
                    return end
            return self._by_key.setdefault(key, Flight(self, key))
        return Flight()

    def forget(self, key: bytes) -> None:
        """A flight is over."""
        del self._by_key[key]
