"""A Gemini stream as `chat.completion.chunk`s.

Each event is one `GenerateContentResponse`, an array of them, or an error. Finish reasons are held back to the end,
because some models repeat `STOP` with every piece and tool calls may still come. There is no end marker: a stream is
whole if every choice had a finish reason when its connection ended.
Source: https://ai.google.dev/api/generate-content#method:-models.streamgeneratecontent.
"""

from collections.abc import Iterator
from typing import Any

from attrs import define, field

from clawgw.wire.chunks import ChunkBuilder
from clawgw.wire.codec import WireTarget
from clawgw.wire.events import Chunk, Done, Event, Failed, UsageReport
from clawgw.wire.failure import Failure, Kind, WireError
from clawgw.wire.gemini.answer import Addition, Answer, begin_answer, decode_responses, raise_error
from clawgw.wire.sse import SseDecoder, parse_event


@define
class GeminiStream:
    """A `StreamParser`."""

    target: WireTarget
    now: float
    _decoder: SseDecoder = field(factory=SseDecoder, init=False)
    _answer: Answer | None = field(default=None, init=False)
    _chunks: ChunkBuilder = field(init=False)
    _ended: bool = field(default=False, init=False)

    def feed(self, data: bytes) -> list[Event]:
        """What one read brought."""
        return self._collect(self._feed(data))

    def finish(self) -> list[Event]:
        """The connection ended."""
        return self._collect(self._finish())

    def _collect(self, source: Iterator[Event]) -> list[Event]:
        """The events up to the first failure, which is the last event."""
        events: list[Event] = []
        if self._ended:
            return events
        try:
            for event in source:
                events.append(event)  # noqa: PERF402  # what came before a failure must not be lost
        except WireError as error:
            events.append(Failed(error.failure))
        self._ended = bool(events) and isinstance(events[-1], Done | Failed)
        return events

    def _feed(self, data: bytes) -> Iterator[Event]:
        for event in filter(None, map(parse_event, self._decoder.feed(data))):
            yield from self._read(event.data, decode_responses(event.data))

    def _finish(self) -> Iterator[Event]:
        for event in filter(None, map(parse_event, self._decoder.finish())):
            yield from self._read(event.data, _decode_last(event.data))
        if self._answer is None or not self._answer.is_whole:
            raise _cut_off()
        for choice, annotations, finish_reason in self._answer.endings():
            if annotations:
                yield self._chunks.delta({"annotations": annotations}, choice)
            yield self._chunks.finish(finish_reason, choice)
        yield Done()

    def _read(self, data: bytes, responses: list[dict[str, Any]]) -> Iterator[Event]:
        for response in responses:
            raise_error(response)
            if self._answer is None:
                self._answer = begin_answer(data, response, self.target, self.now)
                heading = self._answer.heading
                self._chunks = ChunkBuilder(heading.id, heading.model, heading.created)
            usage_before = self._answer.usage
            for addition in self._answer.read(response):
                yield self._chunk(addition)
            if self._answer.usage is not None and self._answer.usage is not usage_before:
                yield UsageReport(self._answer.usage)

    def _chunk(self, addition: Addition) -> Chunk:
        chunk = self._chunks.delta(addition.delta, addition.choice)
        chunk.body["choices"][0]["logprobs"] = addition.logprobs
        return chunk


def _decode_last(data: bytes) -> list[dict[str, Any]]:
    """The last event may be cut short: JSON that has begun is no sign of a wrong format."""
    try:
        return decode_responses(data)
    except WireError:
        if data.lstrip()[:1] in (b"{", b"["):
            raise _cut_off() from None
        raise


def _cut_off() -> WireError:
    return WireError(Failure(Kind.RESET, "The upstream's stream ended before its answer did."))
