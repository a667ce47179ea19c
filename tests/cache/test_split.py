from collections.abc import Iterable, Sequence
from typing import Any

import orjson
import pytest
from hypothesis import given

from clawgw.cache.split import split
from clawgw.wire.assemble import Assembly
from clawgw.wire.checks.parse import parse_chat_request, parse_text_request
from clawgw.wire.codec import Codec, Completion, WireTarget
from clawgw.wire.events import Chunk, Done, Event, UsageReport
from clawgw.wire.formats import CODECS
from clawgw.wire.operations import operation
from clawgw.wire.usage import usage_from_counts
from clawgw.wire.writer import StreamWriter
from tests.cache.answers import completions
from tests.recordings.client_view import answer_of
from tests.recordings.events import json_events
from tests.recordings.exchange import Exchange, read_all
from tests.recordings.stream_rules import complaints_about
from tests.shared import needs_shared

HEAD = {"id": "c1", "object": "chat.completion", "created": 7, "model": "m"}
CALL = {"id": "a", "type": "function", "function": {"name": "f", "arguments": "{}"}}


def chat(message: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {**HEAD, "choices": [{"index": 0, "message": message, "finish_reason": "stop", **more}]}


def deltas(body: dict[str, Any]) -> list[dict[str, Any]]:
    chunks = [event.body for event in split(body, None) if isinstance(event, Chunk)]
    assert {(chunk["id"], chunk["object"], chunk["created"], chunk["model"]) for chunk in chunks} == {
        ("c1", "chat.completion.chunk", 7, "m")
    }
    return [chunk["choices"][0]["delta"] for chunk in chunks]


def test_the_role_the_reasoning_the_content_the_calls_the_rest_and_the_end() -> None:
    message = {
        "role": "assistant",
        "content": "Hi",
        "refusal": None,
        "annotations": [{"type": "url_citation"}],
        "reasoning_content": "Hm",
        "tool_calls": [CALL, CALL],
    }
    assert deltas(chat(message)) == [
        {"role": "assistant", "content": "", "refusal": None},
        {"reasoning_content": "Hm"},
        {"content": "Hi"},
        {"tool_calls": [{"index": 0, **CALL}, {"index": 1, **CALL}]},
        {"annotations": [{"type": "url_citation"}]},
        {},
    ]


def test_logprobs_go_with_the_content() -> None:
    chunks = list(split(chat({"content": "x"}, logprobs={"content": []}), None))
    choices = [event.body["choices"][0] for event in chunks if isinstance(event, Chunk)]
    assert [choice["logprobs"] for choice in choices] == [None, {"content": []}, None]
    assert [choice["finish_reason"] for choice in choices] == [None, None, "stop"]


def test_logprobs_without_content_come_at_the_end() -> None:
    chunks = list(split(chat({"content": None}, logprobs={"refusal": []}), None))
    assert [event.body["choices"][0]["logprobs"] for event in chunks if isinstance(event, Chunk)] == [
        None,
        {"refusal": []},
    ]


def test_a_text_completion() -> None:
    usage = usage_from_counts(1, 2)
    body = {**HEAD, "object": "text_completion", "choices": [{"index": 0, "text": "Hi", "finish_reason": "length"}]}
    first, last, report, done = split({**body, "usage": usage.body}, usage)
    assert isinstance(first, Chunk)
    assert isinstance(last, Chunk)
    assert first.body == {**body, "choices": [{"index": 0, "text": "Hi", "finish_reason": None}]}
    assert last.body == {**body, "choices": [{"index": 0, "text": "", "finish_reason": "length"}]}
    assert (first.commits, last.commits) == (True, False)
    assert [report, done] == [UsageReport(usage), Done()]


@given(completions())
def test_the_stream_keeps_the_rules(completion: Completion) -> None:
    raw = StreamWriter(include_usage=True).write(split(completion.body, completion.usage))
    assert list(complaints_about(raw, include_usage=True, broken=False)) == []


@needs_shared
def test_recorded_streams_say_the_same_when_they_are_put_together_and_told_again() -> None:
    streams = [one for one in read_all() if isinstance(one, Exchange) and one.stream and one.operation != "embeddings"]
    told = [events for exchange in streams if (events := _events(exchange)) and events[-1] == Done()]
    assert len(told) > 50
    for events in told:
        assembly = Assembly(10**9)
        assembly.take(events)
        completion = assembly.completion()
        assert completion is not None
        again = list(split(completion.body, completion.usage))
        assert answer_of([completion.body]) == answer_of(_bodies(again)) == answer_of(_bodies(events))


def _events(exchange: Exchange) -> Sequence[Event]:
    codec: Codec = CODECS[exchange.wire]
    parse = parse_chat_request if exchange.operation == "chat" else parse_text_request
    request = parse(orjson.dumps({**exchange.request, "model": exchange.model}))
    parser = operation(request, codec, WireTarget("p", exchange.model), 1.0).parser()
    return [*parser.feed(exchange.payload), *parser.finish()]


def _bodies(events: Iterable[Event]) -> list[Any]:
    return json_events(StreamWriter(include_usage=True).write(events).decode())


@pytest.mark.parametrize("usage", [usage_from_counts(3, 4), None])
def test_usage_comes_before_the_end(usage: Any) -> None:
    *_, before, last = split(chat({"content": "x"}), usage)
    assert last == Done()
    assert isinstance(before, UsageReport) == (usage is not None)
