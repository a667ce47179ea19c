from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from clawgw.wire.anthropic import stream
from clawgw.wire.anthropic.pieces import Run, read_run
from clawgw.wire.anthropic.stream import AnthropicStream
from clawgw.wire.codec import WireTarget
from clawgw.wire.events import Chunk, Done, Event, Failed, Passage, UsageReport, unfold
from clawgw.wire.failure import Kind
from tests.shared import exchanges, needs_shared
from tests.wire.outcome import Outcome, damaged, outcome_of


def sse(body: dict[str, Any]) -> bytes:
    return b"event: %b\ndata: %b\n\n" % (body["type"].encode(), orjson.dumps(body))


def delta(kind: str, **piece: str) -> bytes:
    return sse({"type": "content_block_delta", "index": 0, "delta": {"type": kind, **piece}})


def text(said: str) -> bytes:
    return delta("text_delta", text=said)


def block(kind: str, *deltas: bytes, **more: Any) -> bytes:
    begin = {"type": "content_block_start", "index": 0, "content_block": {"type": kind, **more}}
    return b"".join([sse(begin), *deltas, sse({"type": "content_block_stop", "index": 0})])


START = sse({"type": "message_start", "message": {"id": "msg%1", "model": "m", "usage": {"input_tokens": 1}}})
END = sse({"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 9}}) + sse(
    {"type": "message_stop"}
)


def events_of(raw: bytes) -> list[Event]:
    parser = AnthropicStream(WireTarget("p", "m"), 7.0)
    return parser.feed(raw) + parser.finish()


def kinds(raw: bytes) -> list[type[Event]]:
    return [type(event) for event in events_of(raw)]


def test_deltas_of_one_kind_are_a_passage() -> None:
    raw = START + block("text", text("a"), text("é\n"), text('"'), text=" ") + END
    events = events_of(raw)
    assert kinds(raw) == [Chunk, UsageReport, Chunk, Passage, UsageReport, Chunk, Done]
    said = [event.body["choices"][0]["delta"].get("content") for event in unfold(events) if isinstance(event, Chunk)]
    assert said == [None, " ", "a", "é\n", '"', None]
    assert {event.body["id"] for event in unfold(events) if isinstance(event, Chunk)} == {"msg%1"}


def test_thoughts_and_arguments_are_passages_too() -> None:
    thoughts = block("thinking", delta("thinking_delta", thinking="a"), delta("thinking_delta", thinking="b"))
    calls = [block("tool_use", delta("input_json_delta", partial_json=part), id="x", name="f") for part in ("{", "[")]
    deltas = [
        event.body["choices"][0]["delta"]
        for passage in events_of(START + thoughts + b"".join(calls))
        if isinstance(passage, Passage)
        for event in passage.chunks()
    ]
    assert deltas == [
        {"reasoning_content": "a"},
        {"reasoning_content": "b"},
        {"tool_calls": [{"index": 0, "function": {"arguments": "{"}}]},
        {"tool_calls": [{"index": 1, "function": {"arguments": "["}}]},
    ]


def test_what_is_for_a_tool_of_anthropic_s_stays_here() -> None:
    raw = START + block("server_tool_use", delta("input_json_delta", partial_json="{}") * 3, id="x", name="f") + END
    assert Passage not in kinds(raw)
    assert isinstance(events_of(raw)[-1], Done)


def test_a_block_s_type_may_be_the_name_of_a_member() -> None:
    assert Passage not in kinds(START + block("partial_json", delta("input_json_delta", partial_json="{}")) + END)


BEFORE = b'data: {"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":'


@pytest.mark.parametrize(
    "raw",
    [
        BEFORE + b'"a"}}',
        BEFORE + b'"a"}      }',
        BEFORE + b'"a" }}',
        BEFORE.replace(b",", b", ").replace(b'":', b'": ') + b'"a"}}',
        b"event: content_block_delta\n" + BEFORE + b'"a"}}',
        b"event:content_block_delta\n" + BEFORE + b'"\\u0061"}}',
    ],
)
def test_wordings_of_a_delta(raw: bytes) -> None:
    run = read_run([raw], 0)
    assert run is not None
    assert (run.member, run.texts) == ("text", ["a"])


@pytest.mark.parametrize(
    "raw",
    [
        BEFORE + b'""}}',
        BEFORE + b'"a","more":1}}',
        BEFORE + b'"a"},"usage":{}}',
        BEFORE + b"5}}",
        BEFORE + b'"\xff"}}',
        BEFORE + b'"a\nb"}}',
        BEFORE + b'"\\x"}}',
        BEFORE.replace(b"0", b"01") + b'"a"}}',
        BEFORE.replace(b"text_delta", b"thinking_delta") + b'"a"}}',
        BEFORE.replace(b"text_delta", b"new_delta") + b'"a"}}',
        b"event: error\n" + BEFORE + b'"a"}}',
        b"data: [DONE]",
        b"",
    ],
)
def test_all_else_is_read_in_full(raw: bytes) -> None:
    assert read_run([raw], 0) is None
    good = BEFORE + b'"a"}}'
    assert read_run([good, raw, good], 0) == Run("text", [b'"a"'], ["a"])


@pytest.mark.parametrize("odd", [b'"a', b'"\xff"', b'"\\ud800"', b'"a" "b"', b""])
def test_garbage_fails(odd: bytes) -> None:
    raw = START + sse({"type": "content_block_start", "content_block": {"type": "text"}}) + text("a") * 2
    events = events_of(raw + BEFORE + odd + b"}}\n\n" + text("b"))
    assert [type(event) for event in events] == [Chunk, UsageReport, Passage, Failed]
    assert isinstance(events[-1], Failed)
    assert events[-1].failure.kind is Kind.INVALID


TEXTS = st.text(max_size=5) | st.sampled_from(["", "\0", "%", "\\", '"'])
PIECES = st.one_of(
    TEXTS.map(text),
    TEXTS.map(lambda said: delta("thinking_delta", thinking=said)),
    TEXTS.map(lambda said: delta("input_json_delta", partial_json=said)),
    TEXTS.map(lambda said: delta("signature_delta", signature=said)),
    TEXTS.map(lambda said: delta("text_delta", thinking=said)),
    TEXTS.map(lambda said: sse({"type": "ping", "text": said})),
)
KINDS = st.sampled_from(["text", "text", "thinking", "tool_use", "server_tool_use", "partial_json"])
BLOCKS = st.builds(lambda kind, pieces: block(kind, *pieces, id="x", name="f"), KINDS, st.lists(PIECES, max_size=6))


RECORDED = [one for one in exchanges("recordings", provider="anthropic") if "raw" in one["response"]]
STREAMS = st.builds(
    lambda start, blocks: start + b"".join(blocks) + END, st.sampled_from([START, b""]), st.lists(BLOCKS, max_size=4)
)


def outcome(*pieces: bytes) -> Outcome:
    return outcome_of(AnthropicStream(WireTarget("p", "m"), 7.0), pieces)


def outcome_in_full(raw: bytes) -> Outcome:
    """With every event read in full."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(stream, "read_run", lambda *_: None)
        return outcome(raw)


@given(damaged(STREAMS), st.data())
def test_runs_change_nothing(raw: bytes, data: st.DataObject) -> None:
    cut = data.draw(st.integers(0, len(raw)))
    assert outcome(raw) == outcome(raw[:cut], raw[cut:]) == outcome_in_full(raw)


@needs_shared
@pytest.mark.parametrize("exchange", RECORDED, ids=lambda exchange: exchange["name"])
def test_runs_change_nothing_of_what_was_recorded(exchange: dict[str, Any]) -> None:
    raw = exchange["response"]["raw"].encode()
    assert outcome(raw) == outcome_in_full(raw)
