from itertools import pairwise

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from clawgw.wire.events import MAX_EVENT_BYTES, Chunk, Done, Failed, UsageReport
from clawgw.wire.failure import Kind, WireError
from clawgw.wire.gemini.response import parse_chat
from clawgw.wire.gemini.stream import GeminiStream
from tests.shared import exchanges, needs_shared
from tests.splits import telling_splits
from tests.wire.gemini.answers import NOW, TARGET, Json, answer, called, choices_of, events_of, joined, sse

STREAMS = [
    pytest.param(exchange["response"]["raw"].encode(), id=exchange["name"])
    for provider in ("gemini", "vertex")
    for exchange in exchanges("recordings", provider=provider, streaming=True)
]
BODIES = [
    pytest.param(exchange["response"]["body"], id=exchange["name"])
    for provider in ("gemini", "vertex")
    for exchange in exchanges("recordings", provider=provider, streaming=False, endpoint="chat", status=200)
]


def failure_kind(*pieces: bytes) -> Kind:
    last = events_of(pieces)[-1]
    assert isinstance(last, Failed)
    return last.failure.kind


def test_a_whole_stream() -> None:
    first = answer({"text": "Hm", "thought": True}, finish=None, usageMetadata={"promptTokenCount": 5})
    second = answer({"text": "Hi"}, usageMetadata={"promptTokenCount": 5, "candidatesTokenCount": 1})
    events = events_of([sse(first, second)])
    assert [type(event) for event in events] == [Chunk, Chunk, UsageReport, Chunk, UsageReport, Chunk, Done]
    chunks = [event for event in events if isinstance(event, Chunk)]
    assert [chunk.commits for chunk in chunks] == [False, True, True, False]
    assert [(choice["delta"], choice["finish_reason"]) for choice in choices_of(events)] == [
        ({"role": "assistant"}, None),
        ({"reasoning_content": "Hm"}, None),
        ({"content": "Hi"}, None),
        ({}, "stop"),
    ]
    assert {(chunk.body["id"], chunk.body["model"], chunk.body["created"]) for chunk in chunks} == {
        ("r1", "gemini-x", 1_700_000_000)
    }


def test_a_finish_reason_with_every_piece_ends_nothing() -> None:
    events = events_of([sse(answer({"text": "a"}), answer({"text": "b"}), answer({"text": "c"}, finish="MAX_TOKENS"))])
    assert joined(events, "content") == "abc"
    assert [choice["finish_reason"] for choice in choices_of(events)] == [None, None, None, None, "length"]
    assert events[-1] == Done()


def test_logprobs_stand_beside_the_text() -> None:
    piece = answer({"text": "a"})
    piece["candidates"][0]["logprobsResult"] = {"chosenCandidates": [{"token": "a", "logProbability": -1.0}]}
    told = [choice["logprobs"] for choice in choices_of(events_of([sse(piece)])) if choice["logprobs"]]
    assert told == [{"content": [{"token": "a", "logprob": -1.0, "bytes": [97], "top_logprobs": []}], "refusal": None}]


def test_an_image_commits() -> None:
    events = events_of([sse(answer({"inlineData": {"mimeType": "image/png", "data": "iVBO"}}))])
    commits = [event for event in events if isinstance(event, Chunk) and event.commits]
    assert [chunk.body["choices"][0]["delta"] for chunk in commits] == [
        {"images": [{"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBO"}}]}
    ]


def test_annotations_come_before_the_end() -> None:
    piece = answer({"text": "ab"})
    piece["candidates"][0]["citationMetadata"] = {"citations": [{"endIndex": 2, "uri": "https://a.example"}]}
    *_, cited, last = choices_of(events_of([sse(answer({"text": "é"}, finish=None), piece)]))
    assert cited["delta"]["annotations"][0]["url_citation"]["end_index"] == 1
    assert last["finish_reason"] == "stop"


def test_choices_are_told_apart() -> None:
    first, second = (answer({"text": text})["candidates"][0] for text in "ab")
    events = events_of([sse({"candidates": [first]}, {"candidates": [{**second, "index": 1}]})])
    assert [(choice["index"], choice["delta"].get("content")) for choice in choices_of(events)] == [
        (0, None),
        (0, "a"),
        (1, None),
        (1, "b"),
        (0, None),
        (1, None),
    ]
    assert events[-1] == Done()


def test_a_blocked_prompt_is_a_filtered_answer() -> None:
    events = events_of([sse({"promptFeedback": {"blockReason": "SAFETY"}})])
    assert joined(events, "refusal") == "The prompt was blocked: SAFETY."
    assert choices_of(events)[-1]["finish_reason"] == "content_filter"
    assert events[-1] == Done()


def test_one_choice_that_has_not_ended_spoils_the_stream() -> None:
    second = answer({"text": "b"}, finish=None)["candidates"][0]
    assert failure_kind(sse(answer({"text": "a"}), {"candidates": [{**second, "index": 1}]})) is Kind.RESET


def test_a_failed_reason_comes_after_what_was_said() -> None:
    events = events_of([sse(answer({"text": "a"}, finish="OTHER"))])
    assert joined(events, "content") == "a"
    last = events[-1]
    assert isinstance(last, Failed)
    assert last.failure.kind is Kind.INVALID


def test_nothing_follows_the_end() -> None:
    parser = GeminiStream(TARGET, NOW)
    parser.feed(sse(answer({"text": "a"})))
    assert parser.finish()[-1] == Done()
    assert parser.feed(sse(answer({"text": "b"}))) == []
    assert parser.finish() == []


@pytest.mark.parametrize(
    ("stream", "kind"),
    [
        (b"", Kind.RESET),
        (b"data: {}\n\n", Kind.RESET),
        (b'data: {"candidates": [{"content": {"par', Kind.RESET),
        (b'[{"candidates": [{"content"', Kind.RESET),
        (b"data: nonsense\n\n", Kind.INVALID),
        (b"data: 3\n\n", Kind.INVALID),
        (b"data: nonsense", Kind.INVALID),
        (b"<html>Bad gateway</html>", Kind.INVALID),
        (b"data: " + b"x" * (MAX_EVENT_BYTES + 1), Kind.TOO_LARGE),
    ],
)
def test_streams_that_fail(stream: bytes, kind: Kind) -> None:
    assert failure_kind(stream) is kind


@needs_shared
@pytest.mark.parametrize("raw", STREAMS)
def test_recorded_streams_are_the_same_however_they_are_split(raw: bytes) -> None:
    whole = events_of([raw])
    assert whole[-1] == Done()
    for pieces in telling_splits(raw):
        assert events_of(pieces) == whole


@needs_shared
@pytest.mark.parametrize("raw", STREAMS)
def test_recorded_streams_hold_the_text_that_was_sent(raw: bytes) -> None:
    sent = [orjson.loads(line[6:]) for line in raw.splitlines() if line.startswith(b"data: ")]
    parts = [part for item in sent for candidate in item["candidates"] for part in _parts(candidate)]
    said = "".join(part.get("text", "") for part in parts if not part.get("thought"))
    assert joined(events_of([raw]), "content") == said


@needs_shared
@pytest.mark.parametrize("body", BODIES)
def test_a_recorded_answer_says_the_same_plain_and_streamed(body: Json | list[Json]) -> None:
    events = events_of([sse(*(body if isinstance(body, list) else [body]))])
    try:
        completion = parse_chat(orjson.dumps(body), TARGET, NOW)
    except WireError:
        assert isinstance(events[-1], Failed)
        return
    assert events[-1] == Done()
    assert choices_of(events)[-1]["finish_reason"] == completion.body["choices"][-1]["finish_reason"]
    texts = [choice["message"]["content"] or "" for choice in completion.body["choices"]]
    assert joined(events, "content") == "".join(texts)
    calls = [call for choice in completion.body["choices"] for call in choice["message"].get("tool_calls", ())]
    streamed = [call for choice in choices_of(events) for call in choice["delta"].get("tool_calls", ())]
    assert [call["function"] for call in streamed] == [call["function"] for call in calls]


def _parts(candidate: Json) -> list[Json]:
    parts: list[Json] = candidate.get("content", {}).get("parts", [])
    return parts


PIECES = st.lists(
    st.sampled_from(
        [
            sse(answer({"text": "añ"}, finish=None)),
            sse(answer(called("f", {"a": "ü"}))),
            sse({"error": {"code": 503, "message": "no"}}),
            sse({"promptFeedback": {"blockReason": "OTHER"}}),
            b'{"error": {"code": 500}}\n\n',
            b": comment\r\n\r\n",
            b"data: {\n\n",
            b"\xff\r",
        ]
    )
    | st.binary(max_size=8),
    max_size=6,
)


@given(PIECES, st.lists(st.integers(0, 1000)))
def test_any_bytes_in_any_split_give_the_same_events(pieces: list[bytes], cuts: list[int]) -> None:
    raw = b"".join(pieces)
    offsets = [0, *sorted(cut % (len(raw) + 1) for cut in cuts), len(raw)]
    split = [raw[start:end] for start, end in pairwise(offsets)]
    events = events_of(split)
    assert events == events_of([raw])
    assert isinstance(events[-1], Done | Failed)
    assert not any(isinstance(event, Done | Failed) for event in events[:-1])
