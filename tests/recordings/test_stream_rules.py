"""A stream that breaks one rule is found out, by that rule."""

import json
from typing import Any

import pytest

from tests.recordings.stream_rules import complaints_about

HEAD = {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "m"}
ROLE = {**HEAD, "choices": [{"index": 0, "delta": {"role": "assistant"}, "finish_reason": None}]}
TEXT = {**HEAD, "choices": [{"index": 0, "delta": {"content": "Hi"}, "finish_reason": None}]}
STOP = {**HEAD, "choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}
USAGE = {**HEAD, "choices": [], "usage": {"prompt_tokens": 1, "completion_tokens": 1}}
ERROR = {"error": {"message": "…"}}
DONE = "[DONE]"


def calls(*fragments: dict[str, Any]) -> dict[str, Any]:
    return {**HEAD, "choices": [{"index": 0, "delta": {"tool_calls": list(fragments)}, "finish_reason": None}]}


def stream(*events: dict[str, Any] | str) -> bytes:
    texts = (event if isinstance(event, str) else json.dumps(event) for event in events)
    return "".join(f"data: {text}\n\n" for text in texts).encode()


def found(raw: bytes, *, include_usage: bool = False, broken: bool = False) -> list[str]:
    return list(complaints_about(raw, include_usage=include_usage, broken=broken))


def asked(event: dict[str, Any]) -> dict[str, Any]:
    return {"usage": None, **event}


def test_streams_that_keep_the_rules() -> None:
    assert found(stream(ROLE, TEXT, STOP, DONE)) == []
    assert found(b": keepalive\n\n" + stream(ROLE, TEXT, STOP, DONE)) == []
    assert found(stream(asked(ROLE), asked(TEXT), asked(STOP), USAGE, DONE), include_usage=True) == []
    assert found(stream(ROLE, TEXT, ERROR), broken=True) == []


@pytest.mark.parametrize(
    ("raw", "include_usage", "broken", "word"),
    [
        (stream(ROLE, TEXT, STOP, DONE)[:-1], False, False, "in the middle"),
        (b"event: x\ndata: {}\n\n" + stream(ROLE, STOP, DONE), False, False, "one data line"),
        (stream(ROLE, TEXT, STOP), False, False, "no [DONE]"),
        (stream(ROLE, DONE, STOP, DONE), False, False, "not last"),
        (stream(ROLE, TEXT, STOP, DONE), False, True, "error event"),
        (stream(TEXT, STOP, DONE), False, False, "no role"),
        (stream(ROLE, STOP, TEXT, DONE), False, False, "follows"),
        (stream(ROLE, {**TEXT, "id": "d"}, STOP, DONE), False, False, "id varies"),
        (stream(ROLE, TEXT, STOP, USAGE, DONE), False, False, "not asked for"),
        (stream(asked(ROLE), asked(STOP), USAGE, USAGE, DONE), True, False, "2 chunks"),
        (stream(asked(ROLE), USAGE, asked(STOP), DONE), True, False, "not the last"),
        (stream(ROLE, STOP, USAGE, DONE), True, False, "say null"),
        (stream(ROLE, calls({"index": 0, "function": {"arguments": "{}"}}), STOP, DONE), False, False, "lacks"),
        (stream(ROLE, calls({"id": "a", "type": "function"}), STOP, DONE), False, False, "no index"),
    ],
)
def test_a_broken_rule_is_named(*, raw: bytes, include_usage: bool, broken: bool, word: str) -> None:
    assert word in "; ".join(found(raw, include_usage=include_usage, broken=broken))


def test_call_fragments() -> None:
    first = {"index": 0, "id": "a", "type": "function", "function": {"name": "f", "arguments": ""}}
    more = {"index": 0, "function": {"arguments": "{}"}}
    assert found(stream(ROLE, calls(first), calls(more), STOP, DONE)) == []
    assert "again" in found(stream(ROLE, calls(first), calls(first), STOP, DONE))[0]
    assert "0, 1" in found(stream(ROLE, calls(first), calls({**first, "index": 2}), STOP, DONE))[0]
