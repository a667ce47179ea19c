import json
from typing import Any

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from clawgw.wire.events import MAX_EVENT_BYTES, Chunk, Done, Failed, SingleEvent, UsageReport
from clawgw.wire.failure import Kind
from clawgw.wire.openai.choices import ChatChoices, TextChoices
from clawgw.wire.openai.stream import OpenAIStream
from clawgw.wire.usage import Particulars, Usage
from clawgw.wire.writer import StreamWriter
from tests.shared import needs_shared
from tests.splits import telling_splits
from tests.wire.openai.streams import NOW, TARGET, choices_for, read, recorded

HEAD = {"id": "c1", "object": "chat.completion.chunk", "created": 7, "model": "m"}
DONE = b"data: [DONE]\n\n"


def chunk(delta: dict[str, Any] | None = None, finish_reason: str | None = None, **more: Any) -> dict[str, Any]:
    choice = {"index": 0, "delta": {} if delta is None else delta, "finish_reason": finish_reason}
    return {**HEAD, "choices": [choice], **more}


def event(body: Any) -> bytes:
    return b"data: " + json.dumps(body).encode() + b"\n\n"


def events_of(*pieces: bytes) -> list[SingleEvent]:
    return read(pieces, ChatChoices())


def failure_kind(*pieces: bytes) -> Kind:
    last = events_of(*pieces)[-1]
    assert isinstance(last, Failed)
    return last.failure.kind


HELLO = event(chunk({"role": "assistant", "content": "Hello"}))
FINISH = event(chunk(finish_reason="stop"))
HELLO_CHUNK = Chunk(chunk({"role": "assistant", "content": "Hello"}), commits=True)
FINISH_CHUNK = Chunk(chunk(finish_reason="stop"), commits=False)
COUNTS = {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5}
USAGE = UsageReport(Usage(3, 2, body=COUNTS))


def test_a_stream_is_chunks_usage_and_done() -> None:
    usage = event({**HEAD, "choices": [], "usage": COUNTS})
    assert events_of(HELLO, FINISH, usage, DONE) == [HELLO_CHUNK, FINISH_CHUNK, USAGE, Done()]


def test_the_service_tier_is_part_of_the_usage() -> None:
    usage = event({**HEAD, "choices": [], "service_tier": "flex", "usage": COUNTS})
    assert UsageReport(evolve(USAGE.usage, particulars=Particulars(service_tier="flex"))) in events_of(
        HELLO, FINISH, usage, DONE
    )


def test_after_the_end_nothing_comes() -> None:
    parser = OpenAIStream(ChatChoices(), TARGET, NOW)
    assert parser.feed(HELLO + FINISH + DONE + HELLO) == [HELLO_CHUNK, FINISH_CHUNK, Done()]
    assert parser.feed(HELLO) == []
    assert parser.finish() == []


def test_the_connection_s_end_is_as_good_as_done_after_a_finish_reason() -> None:
    assert events_of(HELLO, FINISH) == [HELLO_CHUNK, FINISH_CHUNK, Done()]
    assert events_of(HELLO, FINISH, b"data: [DONE]") == [HELLO_CHUNK, FINISH_CHUNK, Done()]
    assert events_of(HELLO, FINISH, b"data: [DO") == [HELLO_CHUNK, FINISH_CHUNK, Done()]
    assert events_of(HELLO, FINISH.rstrip()) == [HELLO_CHUNK, FINISH_CHUNK, Done()]


@pytest.mark.parametrize("rest", [b"", DONE, b'data: {"choices": [{"ind', event(chunk({"content": "x"}))])
def test_an_end_without_a_finish_reason_is_a_reset(rest: bytes) -> None:
    assert failure_kind(HELLO, rest) is Kind.RESET


def test_an_empty_stream_is_a_reset() -> None:
    assert failure_kind(b"") is Kind.RESET
    assert failure_kind(b": OPENROUTER PROCESSING\n\n") is Kind.RESET


@pytest.mark.parametrize(
    ("raw", "kind"),
    [
        (event({"error": {"message": "m", "type": "server_error"}}), Kind.SERVER),
        (event({"error": {"message": "m", "code": "insufficient_quota"}}), Kind.QUOTA),
        (event({"error": {"message": "m", "code": 429}}), Kind.RATE_LIMITED),
        (event({"error": "busy"}), Kind.SERVER),
        (event({**chunk({"content": "x"}), "x_groq": {"error": "busy"}}), Kind.SERVER),
        (b"event: error\n" + event({"message": "m", "code": "content_filter"}), Kind.CONTENT_POLICY),
        (event({"object": "error", "message": "m", "code": "3000"}), Kind.SERVER),
        (event({**HEAD, "choices": [{"index": 0, "error": {"code": 502, "message": "m"}}]}), Kind.SERVER),
        (event(chunk(finish_reason="error")), Kind.SERVER),
        (b'{"error": {"message": "m", "code": "rate_limit_exceeded"}}', Kind.RATE_LIMITED),
        (b'{\n  "error": {"message": "m"}\n}\n', Kind.SERVER),
        (b'{"id": "c", "object": "chat.completion", "choices": []}', Kind.INVALID),
        (b"<html>\n\n<title>502</title></html>", Kind.INVALID),
        (b"data: <html>\n\n", Kind.INVALID),
        (b"data: [1]\n\n", Kind.INVALID),
        (b"x" * (MAX_EVENT_BYTES + 2), Kind.TOO_LARGE),
    ],
)
def test_a_failure_is_the_last_event(raw: bytes, kind: Kind) -> None:
    assert failure_kind(raw) is kind
    assert [type(one) for one in events_of(raw, HELLO, DONE)] == [Failed]


def test_an_error_after_chunks_comes_after_them() -> None:
    events = events_of(HELLO + event({"error": {"message": "m"}}))
    assert events[0] == HELLO_CHUNK
    assert isinstance(events[1], Failed)


def test_a_last_event_over_the_cap_without_its_end_is_too_large() -> None:
    parser = OpenAIStream(ChatChoices(), TARGET, NOW)
    assert parser.feed(HELLO + b"x" * (MAX_EVENT_BYTES + 2)) == [HELLO_CHUNK]
    (last,) = parser.finish()
    assert isinstance(last, Failed)
    assert last.failure.kind is Kind.TOO_LARGE


@pytest.mark.parametrize("keepalive", [b": ping\n\n", b"data:\n\n", event({}), event({"type": "ping"})])
def test_what_says_nothing_is_skipped(keepalive: bytes) -> None:
    assert events_of(keepalive, HELLO, keepalive, FINISH, keepalive, DONE) == [HELLO_CHUNK, FINISH_CHUNK, Done()]


@pytest.mark.parametrize(
    "finishing",
    [
        event({**chunk(finish_reason="stop"), "usage": COUNTS}),
        event({**HEAD, "choices": [{"index": 0, "delta": {}, "finish_reason": "stop", "usage": COUNTS}]}),
        event({**chunk(finish_reason="stop"), "usage": None}) + event({**HEAD, "usage": COUNTS}),
    ],
)
def test_usage_is_found_in_every_place_and_left_out_of_the_chunk(finishing: bytes) -> None:
    assert events_of(HELLO, finishing, DONE) == [HELLO_CHUNK, FINISH_CHUNK, USAGE, Done()]


def test_a_later_report_replaces_an_earlier_one() -> None:
    earlier = event({**chunk({"role": "assistant", "content": "Hello"}), "usage": {**COUNTS, "completion_tokens": 1}})
    later = event({**chunk(finish_reason="stop"), "usage": COUNTS})
    reports = [one.usage.completion for one in events_of(earlier, later, DONE) if isinstance(one, UsageReport)]
    assert reports == [1, 2]


def test_one_head_throughout_filled_where_it_is_missing() -> None:
    bare = {"choices": [{"delta": {"content": "a"}}]}
    first, second, _ = events_of(event(bare), event(chunk(finish_reason="stop")), DONE)
    assert isinstance(first, Chunk)
    assert isinstance(second, Chunk)
    assert first.body["id"].startswith("chatcmpl-")
    assert first.body["created"] == int(NOW)
    assert first.body["model"] == TARGET.model
    assert first.body["object"] == "chat.completion.chunk"
    for key in HEAD:
        assert second.body[key] == first.body[key]


def test_unknown_fields_survive() -> None:
    more = {"provider": "X", "x_clawed": {"a": [1]}}
    choice = {"index": 0, "delta": {"role": "assistant", "content": "a", "odd": 1}, "finish_reason": None, "even": 2}
    (only, *_) = events_of(event({**HEAD, **more, "choices": [choice]}))
    assert only == Chunk({**HEAD, **more, "choices": [choice]}, commits=True)


def test_verdicts_on_the_prompt_come_with_the_first_choice() -> None:
    verdict = {"prompt_filter_results": [{"prompt_index": 0}]}
    early = event({"id": "", "object": "", "created": 0, "model": "", "choices": [], **verdict})
    first = events_of(early, HELLO, FINISH, DONE)[0]
    assert first == Chunk({**chunk({"role": "assistant", "content": "Hello"}), **verdict}, commits=True)


def test_verdicts_at_the_end_go_on_without_choices() -> None:
    verdict: dict[str, Any] = {"moderation": {"input": {}}}
    events = events_of(HELLO, FINISH, event({**HEAD, "choices": [], **verdict, "usage": None}), DONE)
    assert events[2] == Chunk({**HEAD, "choices": [], **verdict}, commits=False)


def test_a_chunk_that_adds_nothing_after_the_finish_goes_but_its_usage_stays() -> None:
    trailing = event({**chunk({"role": "assistant", "content": ""}), "usage": COUNTS})
    assert events_of(HELLO, FINISH, trailing, DONE) == [HELLO_CHUNK, FINISH_CHUNK, USAGE, Done()]


def test_a_choice_after_the_finish_may_leave_out_everything() -> None:
    empty = event({**HEAD, "choices": [{}], "usage": COUNTS})
    assert events_of(HELLO, FINISH, empty, DONE) == [HELLO_CHUNK, FINISH_CHUNK, USAGE, Done()]


def test_text_completions() -> None:
    head = {"id": "t", "object": "text_completion", "created": 7, "model": "m"}
    first = {**head, "choices": [{"text": "a", "index": 0, "logprobs": None, "finish_reason": None}]}
    last = {**head, "choices": [{"text": "", "index": 0, "logprobs": None, "finish_reason": "stop"}]}
    assert read([event(first), event(last), DONE], TextChoices()) == [
        Chunk(first, commits=True),
        Chunk(last, commits=False),
        Done(),
    ]


STREAMS = [(f"{one['provider']}/{one['name']}", one["response"]["raw"].encode()) for one in recorded()]


@needs_shared
@pytest.mark.parametrize("raw", [raw for _, raw in STREAMS], ids=[name for name, _ in STREAMS])
def test_recorded_streams_are_the_same_however_they_are_split(raw: bytes) -> None:
    whole = read([raw], choices_for(raw))
    for pieces in telling_splits(raw):
        assert read(pieces, choices_for(raw)) == whole


@needs_shared
@pytest.mark.parametrize("raw", [raw for _, raw in STREAMS], ids=[name for name, _ in STREAMS])
def test_recorded_streams_end_as_they_did_and_survive_being_written(raw: bytes) -> None:
    events = read([raw], choices_for(raw))
    assert isinstance(events[-1], Done if b"[DONE]" in raw else Failed)
    again = read([StreamWriter(include_usage=True).write(events)], choices_for(raw))
    for kind in (Chunk, Done):
        assert [one for one in again if isinstance(one, kind)] == [one for one in events if isinstance(one, kind)]
    reports = [one for one in events if isinstance(one, UsageReport)]
    if isinstance(events[-1], Done):
        assert [one for one in again if isinstance(one, UsageReport)] == reports[-1:]


_CHOICE_KEYS = st.sampled_from(["index", "delta", "finish_reason", "error", "usage", "text", "message"])
_KEYS = st.sampled_from(["choices", "usage", "x_groq", "error", "id", "object", "moderation", "created", "model"])
_DELTA_KEYS = st.sampled_from(["content", "tool_calls", "reasoning", "reasoning_details", "role", "function", "index"])
_SCALARS = st.none() | st.booleans() | st.integers() | st.text(max_size=5) | st.sampled_from(["stop", "error"])
_VALUES = st.recursive(
    _SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_KEYS | _CHOICE_KEYS | _DELTA_KEYS, inner, max_size=4),
    max_leaves=20,
)
_ODD_EVENTS = st.dictionaries(_KEYS, _VALUES, max_size=4).map(event)
_BYTES = st.lists(_ODD_EVENTS | st.sampled_from([HELLO, FINISH, DONE, b"event: error\n"]) | st.binary(max_size=20))


@given(_BYTES.map(b"".join), st.sampled_from([ChatChoices, TextChoices]), st.data())
def test_any_bytes_give_events_and_one_end(
    raw: bytes, choices: type[ChatChoices | TextChoices], data: st.DataObject
) -> None:
    events = read([raw], choices())
    assert [isinstance(one, Done | Failed) for one in events] == [False] * (len(events) - 1) + [True]
    cut = data.draw(st.integers(0, len(raw)))
    assert read([raw[:cut], raw[cut:]], choices()) == events
    StreamWriter(include_usage=True).write(events)


@pytest.mark.parametrize("end", [b"data:  [DONE]\n\n", b"data: [DONE] \n\n"])
def test_white_space_around_done_does_not_spoil_it(end: bytes) -> None:
    assert events_of(HELLO, FINISH, end) == [HELLO_CHUNK, FINISH_CHUNK, Done()]
