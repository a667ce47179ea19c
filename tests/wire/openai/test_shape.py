import json
from collections.abc import Iterable
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from clawgw.wire.events import Chunk, Done, Event, Failed, Passage, unfold
from clawgw.wire.failure import Kind
from clawgw.wire.openai import stream
from clawgw.wire.openai.choices import ChatChoices, TextChoices
from clawgw.wire.openai.shape import Shape, shape_of
from clawgw.wire.openai.stream import PATIENCE, OpenAIStream
from clawgw.wire.writer import StreamWriter
from tests.shared import needs_shared
from tests.wire.openai.streams import NOW, TARGET, choices_for, recorded
from tests.wire.outcome import Outcome, damaged, outcome_of

HEAD: dict[str, Any] = {"id": "c%1", "object": "chat.completion.chunk", "created": 7, "model": "m"}
DONE = b"data: [DONE]\n\n"


def event(body: Any, **style: Any) -> bytes:
    return b"data: " + json.dumps(body, **style).encode() + b"\n\n"


def chunk(delta: dict[str, Any], finish_reason: str | None = None, **more: Any) -> dict[str, Any]:
    choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish_reason}
    return {**HEAD, "choices": [choice], **more}


def arguments(text: str, **call: Any) -> dict[str, Any]:
    return {"tool_calls": [{"index": 0, "function": {"arguments": text}, **call}]}


ROLE = event(chunk({"role": "assistant", "content": ""}))
FINISH = event(chunk({}, "stop"))
CALL = chunk({"tool_calls": [{"index": 0, "id": "a", "type": "function", "function": {"name": "f", "arguments": ""}}]})


def events_of(raw: bytes, *, text: bool = False) -> list[Event]:
    parser = OpenAIStream(TextChoices() if text else ChatChoices(), TARGET, NOW)
    return parser.feed(raw) + parser.finish()


def kinds(events: Iterable[Event]) -> list[type[Event]]:
    return [type(one) for one in events]


@pytest.mark.parametrize(
    "deltas",
    [
        [{"content": text} for text in ("a", " b", "ü\n", '"', "{%d}", "\\")],
        [{"content": "", "reasoning_content": text} for text in "abc"],
        [{"reasoning": text, "channel": "analysis"} for text in ("The", " end")],
        [{"refusal": text} for text in ("I", " won't")],
        [{"role": "assistant", "content": text} for text in "abc"],
        [arguments(text, id="a", type="function") for text in ('{"', 'a":1}')],
    ],
)
@pytest.mark.parametrize("style", [{}, {"separators": (",", ":")}, {"ensure_ascii": False}])
def test_what_only_adds_text_comes_as_one_passage_after_the_first(
    deltas: list[dict[str, Any]], style: dict[str, Any]
) -> None:
    begin = event(CALL) if "tool_calls" in deltas[0] else b""
    raw = ROLE + begin + b"".join(event(chunk(delta, usage=None), **style) for delta in deltas)
    events = events_of(raw)
    assert kinds(events) == [Chunk] * (2 + bool(begin)) + [Passage, Failed]
    slowly = [events_of(ROLE + begin + event(chunk(delta)))[-2] for delta in deltas]
    assert list(unfold(events))[1 + bool(begin) : -1] == slowly


def test_padding_goes_on_with_its_text() -> None:
    said = [("a", "x1"), ("b", "y22"), ("c", "z")]
    raw = ROLE + b"".join(event(chunk({"content": text}, obfuscation=padding)) for text, padding in said)
    events = events_of(raw)
    assert kinds(events) == [Chunk, Chunk, Passage, Failed]
    written = StreamWriter(include_usage=False).write(events).decode().split("\n\n")[1:-1]
    bodies = [orjson.loads(line.removeprefix("data: ")) for line in written]
    assert [(body["choices"][0]["delta"]["content"], body["obfuscation"]) for body in bodies] == said


@pytest.mark.parametrize("include_usage", [True, False])
def test_a_passage_is_written_with_the_head_of_the_stream_and_usage_as_asked(include_usage: bool) -> None:  # noqa: FBT001 - a parameter of the test
    other = {"id": "other", "model": "other", "created": 9}
    events = events_of(ROLE + b"".join(event({**chunk({"content": text}), **other}) for text in "ab") + FINISH + DONE)
    assert kinds(events) == [Chunk, Chunk, Passage, Chunk, Done]
    line = StreamWriter(include_usage).write(events).split(b"\n\n")[2]
    expected = chunk({"content": "b"}) | ({"usage": None} if include_usage else {})
    assert orjson.loads(line.removeprefix(b"data: ")) == expected


@pytest.mark.parametrize(
    ("odd", "kind"),
    [
        (b'"a", "b": "c"', None),
        (b"5", None),
        (b'{"a": 1}', None),
        (b'""', None),
        (b'"a" "b"', Kind.INVALID),
        (b'"a', Kind.INVALID),
        (b'"a\\"', Kind.INVALID),
        (b'"a\nb"', Kind.INVALID),
        (b'"a"\n', Kind.INVALID),
        (b'"a","b"', Kind.INVALID),
        (b'"\xff"', Kind.INVALID),
        (b'"\\ud800"', Kind.INVALID),
        (b"", Kind.INVALID),
    ],
)
def test_what_stands_in_the_place_of_the_text_is_a_string_or_read_in_full(odd: bytes, kind: Kind | None) -> None:
    hello = event(chunk({"content": "hello"}))
    events = events_of(ROLE + hello + hello + hello.replace(b'"hello"', odd) + hello + FINISH + DONE)
    assert kinds(events[:3]) == [Chunk, Chunk, Passage]
    if kind is None:
        assert kinds(events[3:4]) == [Chunk]
        assert isinstance(events[-1], Done)
    else:
        assert isinstance(events[3], Failed)
        assert events[3].failure.kind is kind


@pytest.mark.parametrize(
    "body",
    [
        chunk({"content": "a"}, "stop"),
        chunk({"content": ""}),
        chunk({"content": "a", "reasoning_content": "a"}),
        chunk({"reasoning": "a", "reasoning_details": [{"type": "reasoning.text", "text": "a"}]}),
        chunk({"content": "a"}, obfuscation="x") | {"p": "y"},
        {"obfuscation": "x", **chunk({"content": "a"})},
        chunk({"audio": {"data": "a"}}),
        chunk(arguments("x") | {"role": "assistant"}),
        {**HEAD, "choices": [chunk({"content": "a"})["choices"][0], {"index": 1, "delta": {}, "finish_reason": None}]},
    ],
)
def test_no_shape_is_made_of_what_may_mean_more(body: dict[str, Any]) -> None:
    assert shape_of(event(body).removesuffix(b"\n\n"), Chunk(body, commits=bool(body["choices"][0]["delta"]))) is None


def test_shapes_are_not_looked_for_without_end(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def counted(block: bytes, chunk: Chunk) -> Shape | None:
        asked.append(block)
        return shape_of(block, chunk)

    monkeypatch.setattr(stream, "shape_of", counted)
    same = event(chunk({"content": "a"})) * 2
    changing = b"".join(event(chunk({"content": "a"}, at=number)) for number in range(100))
    events = events_of(ROLE + same + changing + same)
    assert len(asked) == 1 + PATIENCE
    assert kinds(events).count(Passage) == 1


TEXTS = st.text(max_size=6) | st.sampled_from(["", "a", '"', "\\", '"}', "%", '"content":"x"', "\u2028"])
DELTAS = st.one_of(
    TEXTS.map(lambda text: {"content": text}),
    TEXTS.map(lambda text: {"role": "assistant", "content": text}),
    TEXTS.map(lambda text: {"content": "", "reasoning_content": text}),
    TEXTS.map(lambda text: {"reasoning": text}),
    TEXTS.map(lambda text: {"reasoning": text, "reasoning_details": [{"type": "reasoning.text", "text": text}]}),
    TEXTS.map(lambda text: {"content": [{"type": "text", "text": text}]}),
    TEXTS.map(lambda text: {"content": text, "tool_calls": [{"function": {"arguments": text}}]}),
    TEXTS.map(lambda text: {"function_call": {"arguments": text}}),
    TEXTS.map(lambda text: {"content": 5, "refusal": text, "function_call": [text]}),
    TEXTS.map(arguments),
    TEXTS.map(lambda text: arguments(text, id="a", type="function")),
    TEXTS.map(lambda text: {"tool_calls": [{"id": "b", "function": {"name": "f", "arguments": text}}]}),
    TEXTS.map(lambda text: {"tool_calls": [{"index": 0, "function": {"name": "f", "arguments": text}}]}),
    TEXTS.map(lambda text: {"tool_calls": [{"index": 0, "function": {"arguments": {"text": text}}}]}),
)
MORE: st.SearchStrategy[dict[str, Any]] = st.sampled_from(
    [{}, {"usage": None}, {"obfuscation": "ab1"}, {"obfuscation": ""}, {"p": "x"}, {"p": "ü"}]
)
REASONS = st.sampled_from([None] * 9 + ["stop"])
STYLES: st.SearchStrategy[dict[str, Any]] = st.sampled_from([{}, {"separators": (",", ":")}, {"ensure_ascii": False}])


@st.composite
def streams(draw: st.DrawFn) -> bytes:
    """Chunks, many of them alike, of one choice or two."""
    delta, style = draw(DELTAS), draw(STYLES)
    pieces = [draw(st.sampled_from([ROLE, b""]))]
    for _ in range(draw(st.integers(1, 8))):
        delta = draw(st.just(delta) | DELTAS)
        body = chunk(delta, draw(REASONS), **draw(MORE))
        body["choices"][0]["index"] = draw(st.sampled_from([0, 0, 0, 1]))
        pieces.append(event(body, **style) * draw(st.integers(1, 3)))
    return b"".join(pieces) + draw(st.sampled_from([FINISH + DONE, DONE, b""]))


def outcome(*pieces: bytes) -> Outcome:
    return outcome_of(OpenAIStream(ChatChoices(), TARGET, NOW), pieces)


def outcome_in_full(raw: bytes) -> Outcome:
    """With every event read in full."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(stream, "shape_of", lambda *_: None)
        return outcome(raw)


@given(damaged(streams()), st.data())
def test_shapes_change_nothing(raw: bytes, data: st.DataObject) -> None:
    cut = data.draw(st.integers(0, len(raw)))
    assert outcome(raw) == outcome(raw[:cut], raw[cut:]) == outcome_in_full(raw)


@needs_shared
@pytest.mark.parametrize("exchange", recorded(), ids=lambda exchange: f"{exchange['provider']}/{exchange['name']}")
def test_shapes_change_nothing_of_what_was_recorded(exchange: dict[str, Any]) -> None:
    raw = exchange["response"]["raw"].encode()
    if isinstance(choices_for(raw), ChatChoices):
        assert outcome(raw) == outcome_in_full(raw)


def test_texts_have_shapes_too() -> None:
    head = {**HEAD, "object": "text_completion"}
    texts = [event({**head, "choices": [{"text": text, "index": 0, "finish_reason": None}]}) for text in "abcd"]
    events = events_of(b"".join(texts), text=True)
    assert kinds(events) == [Chunk, Chunk, Passage, Failed]
    assert [one.body["choices"][0]["text"] for one in unfold(events) if isinstance(one, Chunk)] == list("abcd")
