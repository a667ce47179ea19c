from collections.abc import Iterable, Sequence
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from clawgw.wire.anthropic.stream import AnthropicStream
from clawgw.wire.codec import WireTarget
from clawgw.wire.events import MAX_EVENT_BYTES, Chunk, Done, Event, Failed, SingleEvent, UsageReport, unfold
from clawgw.wire.failure import Kind
from tests.shared import exchanges, needs_shared
from tests.splits import telling_splits
from tests.wire.anthropic.golden import REDACTED

NOW = 1767225600.9
START = {
    "type": "message_start",
    "message": {"id": "msg_1", "model": "claude-x", "usage": {"input_tokens": 7, "output_tokens": 1}},
}
STOP = {"type": "message_stop"}


def stream() -> AnthropicStream:
    return AnthropicStream(WireTarget("anthropic", "asked"), NOW)


def sse(*events: dict[str, Any]) -> bytes:
    return b"".join(b"event: %s\ndata: %s\n\n" % (event["type"].encode(), orjson.dumps(event)) for event in events)


def block(content: dict[str, Any], *deltas: dict[str, Any], index: int = 0) -> list[dict[str, Any]]:
    return [
        {"type": "content_block_start", "index": index, "content_block": content},
        *({"type": "content_block_delta", "index": index, "delta": delta} for delta in deltas),
        {"type": "content_block_stop", "index": index},
    ]


def text(*pieces: str) -> list[dict[str, Any]]:
    return block({"type": "text", "text": ""}, *({"type": "text_delta", "text": piece} for piece in pieces))


def end(stop_reason: str, **more: Any) -> list[dict[str, Any]]:
    delta = {"stop_reason": stop_reason, "stop_sequence": None, **more}
    return [{"type": "message_delta", "delta": delta, "usage": {"output_tokens": 9}}, STOP]


def run(pieces: Iterable[bytes]) -> list[SingleEvent]:
    parser = stream()
    events = [event for piece in pieces for event in unfold(parser.feed(piece))]
    return [*events, *unfold(parser.finish())]


def answer(*events: dict[str, Any]) -> list[SingleEvent]:
    return run([sse(START, *events)])


def deltas(events: Sequence[Event]) -> list[dict[str, Any]]:
    return [event.body["choices"][0]["delta"] for event in events if isinstance(event, Chunk)]


def finish_reason(events: Sequence[Event]) -> str | None:
    last = [event for event in events if isinstance(event, Chunk)][-1]
    found: str | None = last.body["choices"][0]["finish_reason"]
    return found


def failure(events: Sequence[Event]) -> Kind:
    assert isinstance(events[-1], Failed)
    return events[-1].failure.kind


def test_a_whole_stream() -> None:
    events = answer(
        {"type": "ping"},
        *block(
            {"type": "thinking", "thinking": "", "signature": ""},
            {"type": "thinking_delta", "thinking": "Let me"},
            {"type": "thinking_delta", "thinking": " see."},
            {"type": "signature_delta", "signature": "c2ln"},
        ),
        *text("Hel", "lo"),
        *block(
            {"type": "tool_use", "id": "toolu_1", "name": "f", "input": {}},
            {"type": "input_json_delta", "partial_json": ""},
            {"type": "input_json_delta", "partial_json": '{"a"'},
            {"type": "input_json_delta", "partial_json": ":1}"},
        ),
        *end("tool_use"),
    )
    carried = {"anthropic": {"thinking_blocks": [{"type": "thinking", "thinking": "Let me see.", "signature": "c2ln"}]}}
    assert deltas(events) == [
        {"role": "assistant"},
        {"reasoning_content": "Let me"},
        {"reasoning_content": " see."},
        {"content": "Hel"},
        {"content": "lo"},
        {
            "tool_calls": [
                {
                    "index": 0,
                    "id": "toolu_1",
                    "type": "function",
                    "function": {"name": "f", "arguments": ""},
                    "extra_content": carried,
                }
            ]
        },
        {"tool_calls": [{"index": 0, "function": {"arguments": '{"a"'}}]},
        {"tool_calls": [{"index": 0, "function": {"arguments": ":1}"}}]},
        {"extra_content": carried},
        {},
    ]
    assert finish_reason(events) == "tool_calls"
    assert isinstance(events[-1], Done)
    first = events[0]
    assert isinstance(first, Chunk)
    assert not first.commits
    assert {key: first.body[key] for key in ("id", "model", "created", "object")} == {
        "id": "msg_1",
        "model": "claude-x",
        "created": 1767225600,
        "object": "chat.completion.chunk",
    }
    reports = [event.usage for event in events if isinstance(event, UsageReport)]
    assert [(usage.prompt, usage.completion) for usage in reports] == [(7, 1), (7, 9)]


def test_the_tokens_in_are_known_before_the_first_word() -> None:
    (_, report) = stream().feed(sse(START))
    assert isinstance(report, UsageReport)
    assert report.usage.prompt == 7


def test_a_call_with_a_whole_input_at_its_start() -> None:
    events = answer(*block({"type": "tool_use", "id": "toolu_1", "name": "f", "input": {"a": 1}}), *end("tool_use"))
    assert deltas(events)[2] == {"tool_calls": [{"index": 0, "function": {"arguments": '{"a":1}'}}]}


def test_a_servers_tool_is_kept_and_no_call() -> None:
    use = {"type": "server_tool_use", "id": "srvtoolu_1", "name": "web_search", "input": {}}
    found = {"type": "web_search_tool_result", "tool_use_id": "srvtoolu_1", "content": []}
    citation = {"type": "web_search_result_location", "url": "https://a.example", "title": "A"}
    events = answer(
        *block(use, {"type": "input_json_delta", "partial_json": '{"query":"q"}'}),
        *block(found),
        *block(
            {"type": "text", "text": "", "citations": None},
            {"type": "citations_delta", "citation": citation},
            {"type": "text_delta", "text": "Yes."},
        ),
        *end("end_turn"),
    )
    assert deltas(events)[1:] == [
        {"content": "Yes."},
        {
            "annotations": [
                {
                    "type": "url_citation",
                    "url_citation": {"start_index": 0, "end_index": 4, "url": "https://a.example", "title": "A"},
                }
            ],
            "extra_content": {
                "anthropic": {
                    "content": [
                        {**use, "input": {"query": "q"}},
                        found,
                        {"type": "text", "text": "Yes.", "citations": [citation]},
                    ]
                }
            },
        },
        {},
    ]


def test_a_tools_broken_input_leaves_the_one_it_began_with() -> None:
    use = {"type": "server_tool_use", "id": "srvtoolu_1", "name": "web_search", "input": {}}
    events = answer(*block(use, {"type": "input_json_delta", "partial_json": '{"que'}), *end("max_tokens"))
    assert deltas(events)[1] == {"extra_content": {"anthropic": {"content": [use]}}}


def test_a_compaction_is_set_by_its_delta() -> None:
    summary = {"type": "compaction_delta", "content": "So far.", "encrypted_content": "b3BhcXVl"}
    events = answer(*block({"type": "compaction", "content": None}, summary), *end("compaction"))
    kept = {"type": "compaction", "content": "So far.", "encrypted_content": "b3BhcXVl"}
    assert deltas(events)[1] == {"extra_content": {"anthropic": {"content": [kept], "stop_reason": "compaction"}}}
    assert finish_reason(events) == "stop"


def test_a_refusal_says_why() -> None:
    events = answer(*end("refusal", stop_details={"type": "refusal", "explanation": "Blocked."}))
    assert deltas(events)[1]["refusal"] == "Blocked."
    assert finish_reason(events) == "content_filter"


def test_unknown_events_blocks_and_deltas_are_passed_over() -> None:
    events = answer(
        {"type": "message_note", "text": "?"},
        {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "early"}},
        {"type": "content_block_stop", "index": 0},
        *block({"type": "text", "text": "A"}, {"type": "sparkle_delta"}, {"type": "thinking_delta", "thinking": "no"}),
        *end("end_turn"),
    )
    assert deltas(events) == [{"role": "assistant"}, {"content": "A"}, {}]


def test_a_block_that_is_not_closed_is_closed_by_the_next_and_by_the_end() -> None:
    start = {"type": "tool_use", "name": "f", "input": {}}
    events = answer(
        {"type": "content_block_start", "index": 0, "content_block": {**start, "id": "toolu_1"}},
        {"type": "content_block_start", "index": 1, "content_block": {**start, "id": "toolu_2"}},
        *end("tool_use"),
    )
    arguments = [delta["tool_calls"][0] for delta in deltas(events) if "tool_calls" in delta]
    assert [(call["index"], call["function"]["arguments"]) for call in arguments] == [
        (0, ""),
        (0, "{}"),
        (1, ""),
        (1, "{}"),
    ]


def test_what_is_too_large_to_keep_is_not_kept_and_the_answer_goes_on() -> None:
    found = {"type": "web_fetch_tool_result", "content": "x" * (MAX_EVENT_BYTES - 200)}
    events = answer(*block(found), *text("a" * 100, "b" * 100), *text("c"), *end("end_turn"))
    assert [delta.get("content") for delta in deltas(events)] == [None, "a" * 100, "b" * 100, "c", None]
    assert isinstance(events[-1], Done)


@pytest.mark.parametrize(
    ("raw", "kind"),
    [
        (b"", Kind.RESET),
        (sse(START, *text("Hel")), Kind.RESET),
        (sse(START, *text("Hel"), *end("end_turn")[:1]), Kind.RESET),
        (sse(START, *text("Hel"), STOP), Kind.RESET),
        (sse(START) + b'data: {"type":"content_bl', Kind.RESET),
        (sse(START) + b'data: {"type":"content_block_delta","delta":{}', Kind.RESET),
        (sse(START) + b"data: nonsense\n\n", Kind.INVALID),
        (sse(START) + b"data: [1]\n\n", Kind.INVALID),
        (sse(*text("Hel")), Kind.INVALID),
        (b"<html>Bad gateway</html>", Kind.INVALID),
        (b"data: " + b"x" * (MAX_EVENT_BYTES + 1), Kind.TOO_LARGE),
        (sse({"type": "error", "error": {"type": "rate_limit_error", "message": "m"}}), Kind.RATE_LIMITED),
        (orjson.dumps({"error": {"type": "overloaded_error", "message": "m"}}), Kind.SERVER),
        (sse(START) + b'data: {"type":"error"}\n\n', Kind.SERVER),
    ],
)
def test_failures(raw: bytes, kind: Kind) -> None:
    assert failure(run([raw])) is kind


def test_the_last_event_needs_no_blank_line() -> None:
    assert isinstance(run([sse(START, *text("A"), *end("end_turn")).rstrip()])[-1], Done)


def test_nothing_comes_after_the_end() -> None:
    parser = stream()
    whole = sse(START, *text("A"), *end("end_turn"))
    assert isinstance(parser.feed(whole + b"event: data\ndata: [DONE]\n\n" + whole)[-1], Done)
    assert parser.feed(whole) == parser.finish() == []


def test_a_whole_message_in_the_streams_place() -> None:
    message = {
        "type": "message",
        "id": "msg_1",
        "content": [
            REDACTED,
            {"type": "thinking", "thinking": "Hm.", "signature": "c2ln"},
            {"type": "text", "text": "Hi"},
            {"type": "tool_use", "id": "toolu_1", "name": "f", "input": {}},
        ],
        "stop_reason": "tool_use",
        "usage": {"input_tokens": 3, "output_tokens": 4},
    }
    events = run([orjson.dumps(message)])
    said = deltas(events)
    assert [said[1], said[2]] == [{"reasoning_content": "Hm."}, {"content": "Hi"}]
    assert said[3]["tool_calls"][0]["id"] == "toolu_1"
    assert said[4] == {"tool_calls": [{"index": 0, "function": {"arguments": "{}"}}]}
    assert finish_reason(events) == "tool_calls"
    assert isinstance(events[-1], Done)
    assert events[0].body["model"] == "asked" if isinstance(events[0], Chunk) else False


@given(st.lists(st.binary(max_size=60), max_size=8))
def test_any_bytes_end_in_one_failure(pieces: list[bytes]) -> None:
    events = run(pieces)
    assert isinstance(events[-1], Failed)
    assert not any(isinstance(event, Failed | Done) for event in events[:-1])


_VALUES = st.recursive(
    st.none() | st.integers(-5, 5) | st.sampled_from(["", "text", "tool_use", "thinking", "text_delta", "end_turn"]),
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(st.sampled_from(["type", "text", "thinking", "input", "citation", "partial_json"]), inner)
    ),
    max_leaves=8,
)
_EVENTS = st.fixed_dictionaries(
    {
        "type": st.sampled_from(
            ["content_block_start", "content_block_delta", "content_block_stop", "message_delta", "message_stop"]
        )
    },
    optional={"content_block": _VALUES, "delta": _VALUES, "usage": _VALUES, "index": _VALUES},
)


@given(st.lists(_EVENTS, max_size=8), st.data())
def test_odd_events_end_the_same_however_they_are_split(events: list[dict[str, Any]], data: st.DataObject) -> None:
    raw = sse(START, *events)
    cut = data.draw(st.integers(0, len(raw)))
    whole = run([raw])
    assert isinstance(whole[-1], Failed | Done)
    assert run([raw[:cut], raw[cut:]]) == whole


STREAMS = [
    pytest.param(exchange["response"]["raw"], id=exchange["name"])
    for collection in ("recordings", "documented")
    for exchange in exchanges(collection, provider="anthropic", endpoint="chat")
    if exchange["response"].get("raw")
]


@needs_shared
@pytest.mark.parametrize("raw", STREAMS)
def test_a_recorded_stream_is_the_same_however_it_is_split(raw: str) -> None:
    whole = run([raw.encode()])
    assert isinstance(whole[-1], Failed if "overloaded_error" in raw else Done)
    for pieces in telling_splits(raw.encode()):
        assert run(pieces) == whole


@needs_shared
@pytest.mark.parametrize("raw", STREAMS)
def test_a_recorded_stream_says_what_its_events_say(raw: str) -> None:
    sent = [orjson.loads(line[6:]) for line in raw.splitlines() if line.startswith("data: {")]
    pieces = [event["delta"] for event in sent if event["type"] == "content_block_delta"]
    events = run([raw.encode()])
    said = deltas(events)
    for kind, member in (("text", "content"), ("thinking", "reasoning_content")):
        whole = "".join(piece[kind] for piece in pieces if piece["type"] == f"{kind}_delta")
        assert "".join(delta.get(member) or "" for delta in said) == whole
    starts = [event["content_block"] for event in sent if event["type"] == "content_block_start"]
    calls = [call for delta in said for call in delta.get("tool_calls", []) if "id" in call]
    assert [call["id"] for call in calls] == [start["id"] for start in starts if start["type"] == "tool_use"]
    last = [event["usage"] for event in sent if event["type"] == "message_delta"]
    reports = [event.usage for event in events if isinstance(event, UsageReport)]
    assert reports[-1].completion == (last[-1]["output_tokens"] if last else 1)
