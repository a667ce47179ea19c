"""The stream of an OpenAI-shaped upstream: bytes in, `events.Event`s out.

The end is whole only where a finish reason was seen: `[DONE]` or the end of the connection after one is `Done`, before
one a `Failed` of kind RESET. Errors come as `data: {"error": …}`, as `event: error`, as Groq's `x_groq.error`, as
OpenRouter's `choices[].error`, or as a bare JSON body in the stream's place. Usage comes in a chunk of its own, on the
finishing chunk, in its choice (Moonshot), in `x_groq`, or in several of these: each report replaces the one before, and
the same one twice is one.
"""

from collections.abc import Sequence
from typing import Any

from attrs import define, field

from clawgw.wire.codec import WireTarget
from clawgw.wire.events import Chunk, Done, Event, Failed, UsageReport
from clawgw.wire.failure import Failure, Kind, WireError
from clawgw.wire.json_body import decode_json_object, get_count, get_object, get_objects, get_text, invalid
from clawgw.wire.openai.choices import Choices
from clawgw.wire.openai.errors import error_failure, error_in, error_object
from clawgw.wire.openai.message import BROKEN_OFF, FAILED, made_up_id
from clawgw.wire.openai.shape import Shape, shape_of
from clawgw.wire.sse import BARE, SseDecoder, SseEvent, parse_event
from clawgw.wire.usage import Usage, usage_from_body

_NEWS = ("prompt_filter_results", "moderation")
"""What is worth passing on from a chunk without choices: Azure's and OpenAI's verdicts on the content."""

PATIENCE = 8
"""After so many shapes in a row of which no second chunk came, no more are looked for."""

_CUT_SHORT = Failure(Kind.RESET, "The upstream's stream ended before its answer was whole.")


@define
class OpenAIStream:
    """A `events.StreamParser` over the choices of a chat or a text; `now` is `created` where the upstream says none."""

    _choices: Choices
    _target: WireTarget
    _now: float = 0.0
    _sse: SseDecoder = field(factory=SseDecoder, init=False)
    _head: dict[str, Any] = field(factory=dict, init=False)
    _early: dict[str, Any] = field(factory=dict, init=False)
    _usage: Usage | None = field(default=None, init=False)
    _shape: Shape | None = field(default=None, init=False)
    """Of the latest event, if it was a chunk that has one."""
    _patience: int = field(default=PATIENCE, init=False)
    _ended: bool = field(default=False, init=False)

    def feed(self, data: bytes) -> list[Event]:
        """See `events.StreamParser`."""
        events: list[Event] = []
        if not self._ended:
            try:
                self._take(self._sse.feed(data), events)
            except WireError as error:
                self._end(Failed(error.failure), events)
        return events

    def finish(self) -> list[Event]:
        """See `events.StreamParser`. A last event that the end has cut in two counts as never sent."""
        events: list[Event] = []
        if not self._ended:
            try:
                self._take(self._sse.finish(), events)
            except WireError as error:
                if error.failure.kind is not Kind.INVALID or not self._head:
                    self._end(Failed(error.failure), events)
        if not self._ended:
            self._end(self._verdict(), events)
        return events

    def _take(self, blocks: list[bytes], events: list[Event]) -> None:
        at = 0
        while at < len(blocks) and not self._ended:
            passage = self._shape.passage(blocks, at) if self._shape is not None else None
            if passage is None:
                self._take_block(blocks[at], events)
                at += 1
            else:
                events.append(passage)
                at += len(passage.texts)
                self._patience = PATIENCE

    def _take_block(self, block: bytes, events: list[Event]) -> None:
        event = parse_event(block)
        if event is None or not (data := event.data.strip()):
            return
        if data == b"[DONE]":
            self._end(self._verdict(), events)
            return
        has_begun, before = bool(self._head), len(events)
        self._take_event(event, events)
        self._shape = None
        if has_begun and self._patience and len(events) == before + 1:
            self._look_for_shape(block, events[-1])

    def _look_for_shape(self, block: bytes, event: Event) -> None:
        if isinstance(event, Chunk) and block.startswith(b"data:") and b"\n" not in block:
            self._patience -= 1
            self._shape = shape_of(block, event)

    def _take_event(self, event: SseEvent, events: list[Event]) -> None:
        body = decode_json_object(event.data)
        error = error_object(body) if event.event == "error" else error_in(body)
        if error is not None:
            raise WireError(error_failure(error))
        if event.event == BARE:
            raise invalid("The upstream answered without a stream where one was asked for.")
        self._take_chunk(body, events)

    def _take_chunk(self, body: dict[str, Any], events: list[Event]) -> None:
        choices = get_objects(body, "choices")
        usage = _pop_usage(body, choices)
        if choices:
            self._take_choices(body, choices, events)
        elif news := {key: body[key] for key in _NEWS if key in body}:
            self._take_news(body, news, events)
        if usage is not None and usage != self._usage:
            self._usage = usage
            events.append(UsageReport(usage))

    def _take_choices(self, body: dict[str, Any], choices: Sequence[dict[str, Any]], events: list[Event]) -> None:
        if not self._head:
            self._begin(body)
        kept, commits, stream_id = [], False, self._head["id"]
        for choice in choices:
            if (error := error_in(choice)) is not None:
                raise WireError(error_failure(error))
            fit = self._choices.fit(choice, stream_id)
            if choice.get("finish_reason") == FAILED:
                raise WireError(BROKEN_OFF)
            if fit is not None:
                kept.append(choice)
                commits |= fit
        if kept:
            body.update(self._head)
            body["choices"] = kept
            events.append(Chunk(body, commits))

    def _begin(self, body: dict[str, Any]) -> None:
        self._head = {
            "id": get_text(body, "id") or made_up_id(body, self._now),
            "object": self._choices.object_name,
            "created": get_count(body, "created") or int(self._now),
            "model": get_text(body, "model") or self._target.model,
        }
        body.update(self._early)

    def _take_news(self, body: dict[str, Any], news: dict[str, Any], events: list[Event]) -> None:
        """Azure's come before the first choice and without an id, so they wait for it; OpenAI's come at the end."""
        if self._head:
            events.append(Chunk({**body, **self._head, "choices": []}, commits=False))
        else:
            self._early = news

    def _verdict(self) -> Done | Failed:
        return Done() if self._choices.are_whole() else Failed(_CUT_SHORT)

    def _end(self, last: Done | Failed, events: list[Event]) -> None:
        self._ended = True
        events.append(last)


def _pop_usage(body: dict[str, Any], choices: Sequence[dict[str, Any]]) -> Usage | None:
    said: dict[str, Any] | None = None
    for place in (body, get_object(body, "x_groq"), *choices):
        usage = place.pop("usage", None)
        if usage and said is None and isinstance(usage, dict):
            said = usage
    return None if said is None else usage_from_body(said, get_text(body, "service_tier"))
