"""An Anthropic stream: bytes in, `events.Event`s out.

Usage comes with the first event and again with the last but one; it is cumulative, so the later replaces the earlier.
What of the message is known only at its end (`response.tail`) goes out in one delta before the finish: one
and no more, because the official client adds up strings and cannot add up lists of objects. Unknown events, blocks and
deltas are passed over. Without `message_stop` the message is not whole.

A whole message, or an error, as bare JSON in the stream's place is taken for what it is.

https://platform.claude.com/docs/en/build-with-claude/streaming
"""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import orjson
from attrs import define, field

from clawgw.wire.anthropic.blocks import BlockAssembly, Delta
from clawgw.wire.anthropic.errors import failure_from_event, is_error
from clawgw.wire.anthropic.pieces import read_run
from clawgw.wire.anthropic.response import ENDING, finish_reason, tail, usage_of
from clawgw.wire.chunks import ChunkBuilder
from clawgw.wire.codec import WireTarget
from clawgw.wire.events import Done, Event, Failed, UsageReport
from clawgw.wire.failure import Failure, Kind, WireError
from clawgw.wire.json_body import decode_json_object, get_object, get_objects, get_text, invalid
from clawgw.wire.sse import BARE, SseDecoder, parse_event

Json = dict[str, Any]

_CUT_SHORT = Failure(Kind.RESET, "The upstream's stream ended before its message was whole.")
_KNOWN = frozenset(
    {"content_block_start", "content_block_delta", "content_block_stop", "message_delta", "message_stop"}
)


@define
class AnthropicStream:
    """A `events.StreamParser`. `now` (Unix seconds) is `created`."""

    _target: WireTarget
    _now: float
    _sse: SseDecoder = field(factory=SseDecoder, init=False)
    _chunks: ChunkBuilder | None = field(default=None, init=False)
    _blocks: BlockAssembly = field(factory=BlockAssembly, init=False)
    _usage: Json = field(factory=dict, init=False)
    _ending: Json = field(factory=dict, init=False)
    _ended: bool = field(default=False, init=False)

    def feed(self, data: bytes) -> list[Event]:
        """See `events.StreamParser`."""
        return self._events(partial(self._sse.feed, data))

    def finish(self) -> list[Event]:
        """See `events.StreamParser`."""
        events = self._events(self._rest)
        if not self._ended:
            self._ended = True
            events.append(Failed(_CUT_SHORT))
        return events

    def _events(self, read: Callable[[], list[bytes]]) -> list[Event]:
        events: list[Event] = []
        if self._ended:
            return events
        try:
            blocks, at = read(), 0
            while at < len(blocks):
                at += self._extend(blocks, at, events) or self._take(blocks[at], events)
        except WireError as error:
            self._ended = True
            events.append(Failed(error.failure))
        return events

    def _rest(self) -> list[bytes]:
        """What the end of the connection left; an event cut off within its JSON never came."""
        return list(filter(_is_whole, self._sse.finish()))

    def _extend(self, blocks: list[bytes], start: int, events: list[Event]) -> int:
        """By a run of deltas, if there is one: of how many."""
        if self._chunks is None or self._ended or (run := read_run(blocks, start)) is None:
            return 0
        events.extend(self._chunks.passage(delta, run.strings, run.texts) for delta in self._blocks.extend(run))
        return len(run.texts)

    def _take(self, block: bytes, events: list[Event]) -> int:
        """By a block that is read in full: 1."""
        sse = parse_event(block)
        if sse is not None and not self._ended:
            event = decode_json_object(sse.data)
            if is_error(event):
                raise WireError(failure_from_event(event))
            for part in _as_events(event) if event.get("type") == "message" else (event,):
                events.extend(self._on(part, len(sse.data)))
        return 1

    def _on(self, event: Json, size: int) -> Iterator[Event]:
        kind = get_text(event, "type")
        if kind == "message_start":
            yield from self._start(get_object(event, "message"))
        elif kind in _KNOWN:
            if self._chunks is None:
                raise invalid("The upstream's stream does not begin with `message_start`.")
            yield from map(self._chunks.delta, self._deltas(kind, event, size))
            if kind == "message_delta":
                yield from self._note_end(event)
            elif kind == "message_stop":
                yield from self._stop(self._chunks)

    def _deltas(self, kind: str, event: Json, size: int) -> list[Delta]:
        match kind:
            case "content_block_start":
                return self._blocks.open(get_object(event, "content_block"), size)
            case "content_block_delta":
                return self._blocks.grow(get_object(event, "delta"))
            case _:
                return self._blocks.close()

    def _start(self, message: Json) -> Iterator[Event]:
        model = get_text(message, "model") or self._target.model
        self._chunks = ChunkBuilder(get_text(message, "id"), model, int(self._now))
        yield self._chunks.delta({})
        yield from self._count(get_object(message, "usage"))

    def _note_end(self, event: Json) -> Iterator[Event]:
        delta = get_object(event, "delta")
        self._ending |= {name: delta[name] for name in ENDING if delta.get(name) is not None}
        yield from self._count(get_object(event, "usage"))

    def _count(self, usage: Json) -> Iterator[Event]:
        if usage:
            self._usage |= {name: value for name, value in usage.items() if value is not None}
            yield UsageReport(usage_of(self._usage))

    def _stop(self, chunks: ChunkBuilder) -> Iterator[Event]:
        if not get_text(self._ending, "stop_reason"):
            raise WireError(_CUT_SHORT)
        if last := tail(self._ending, self._blocks.blocks, self._blocks.annotations):
            yield chunks.delta(last)
        yield chunks.finish(finish_reason(self._ending, called=self._blocks.calls > 0))
        yield Done()
        self._ended = True


def _is_whole(block: bytes) -> bool:
    sse = parse_event(block)
    if sse is None or sse.event == BARE:
        return sse is not None
    try:
        orjson.loads(sse.data)
    except orjson.JSONDecodeError:
        return False
    return True


def _as_events(message: Json) -> Iterator[Json]:
    """The stream that a whole message would have been."""
    yield {"type": "message_start", "message": message}
    for block in get_objects(message, "content"):
        yield {"type": "content_block_start", "content_block": block}
        yield {"type": "content_block_stop"}
    yield {"type": "message_delta", "delta": message, "usage": message.get("usage")}
    yield {"type": "message_stop"}
