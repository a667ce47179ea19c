"""Streams on both sides of the cache: one that comes out of it, and one that may go into it once it is whole."""

from collections.abc import Callable, Mapping, Sequence

import orjson
from attrs import define

from clawgw.cache.entry import Entry
from clawgw.cache.receipt import Receipt
from clawgw.cache.split import split
from clawgw.gateway import StreamAnswer
from clawgw.wire.assemble import Assembly
from clawgw.wire.codec import Completion
from clawgw.wire.events import Done, Event, Failed
from clawgw.wire.writer import StreamWriter


@define(eq=False)
class StoredStream:
    """An answer of the cache as a stream: all of it at once."""

    headers: Mapping[str, str]
    _entry: Entry
    _include_usage: bool
    _receipt: Receipt
    ended: bool = False

    async def receive(self) -> bytes:
        """As `StreamAnswer.receive`."""
        if self.ended:
            return b""
        self.ended = True
        events = split(orjson.loads(self._entry.body), self._entry.used())
        written = StreamWriter(include_usage=self._include_usage).write(events)
        self._receipt.succeed(self._entry)
        await self._receipt.ledger.durable()
        return written

    def close(self) -> None:
        """As `StreamAnswer.close`."""
        self._receipt.cancel()


@define(eq=False)
class KeptStream:
    """A stream that is put together on its way to the client, and kept when it is whole."""

    headers: Mapping[str, str]
    _stream: StreamAnswer
    _assembly: Assembly
    _keep: Callable[[Completion | None], None]
    _leave: Callable[[], None]

    @property
    def ended(self) -> bool:
        """As `StreamAnswer.ended`."""
        return self._stream.ended

    async def receive(self) -> bytes:
        """As `StreamAnswer.receive`."""
        return await self._stream.receive()

    def close(self) -> None:
        """As `StreamAnswer.close`."""
        self._stream.close()
        self._leave()

    def hear(self, events: Sequence[Event]) -> None:
        """What the client is about to get."""
        self._assembly.take(events)
        match events[-1]:
            case Done():
                self._keep(self._assembly.completion())
            case Failed():
                self._keep(None)
