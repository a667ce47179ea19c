"""What a client must get for an answer of Anthropic's Messages API. By `wire-formats.md`, section B2."""

import json
from typing import Any

from attrs import define, field

from tests.recordings.events import json_events
from tests.recordings.expected import Answer, Choice, Expected, Faults, ToolCall, Usage, refusal_of
from tests.recordings.faults import INVALID, faults

_FINISH_REASONS = {
    "end_turn": "stop",
    "stop_sequence": "stop",
    "max_tokens": "length",
    "model_context_window_exceeded": "length",
    "tool_use": "tool_calls",
    "refusal": "content_filter",
}
_STATUS = {
    "invalid_request_error": 400,
    "authentication_error": 401,
    "billing_error": 402,
    "permission_error": 403,
    "not_found_error": 404,
    "request_too_large": 413,
    "rate_limit_error": 429,
    "api_error": 500,
    "timeout_error": 504,
    "overloaded_error": 529,
}


def read_message(body: Any) -> Expected:
    """A whole 200 body."""
    if body.get("type") != "message":
        return Faults((INVALID,))
    return _answer(body["content"], body["stop_reason"], body["usage"], body["model"])


def read_stream(raw: str) -> Expected:
    """The text of a 200 stream."""
    stream = _Stream()
    for event in json_events(raw):
        if event.get("type") == "error":
            return stream.broken() if stream.committed else _inside(event)
        stream.add(event)
    if stream.stopped:
        return _answer(stream.whole(), stream.stop_reason, stream.usage, stream.model)
    return stream.broken() if stream.committed else Faults((INVALID,))


@define
class _Stream:
    """The events so far."""

    blocks: dict[int, dict[str, Any]] = field(factory=dict)
    partial: dict[int, str] = field(factory=dict)
    usage: dict[str, Any] = field(factory=dict)
    model: str = ""
    stop_reason: str | None = None
    stopped: bool = False

    def add(self, event: dict[str, Any]) -> None:
        match event["type"]:
            case "message_start":
                self.model = event["message"]["model"]
                self.usage.update(event["message"]["usage"])
            case "content_block_start":
                self.blocks[event["index"]] = dict(event["content_block"])
            case "content_block_delta":
                self.add_delta(event["index"], event["delta"])
            case "message_delta":
                self.stop_reason = event["delta"].get("stop_reason") or self.stop_reason
                self.usage.update({name: count for name, count in event["usage"].items() if count is not None})
            case "message_stop":
                self.stopped = True

    def add_delta(self, index: int, delta: dict[str, Any]) -> None:
        block = self.blocks[index]
        match delta["type"]:
            case "text_delta":
                block["text"] += delta["text"]
            case "thinking_delta":
                block["thinking"] += delta["thinking"]
            case "input_json_delta":
                self.partial[index] = self.partial.get(index, "") + delta["partial_json"]

    def whole(self) -> list[dict[str, Any]]:
        for index, text in self.partial.items():
            self.blocks[index]["input"] = json.loads(text or "{}")
        return list(self.blocks.values())

    @property
    def committed(self) -> bool:
        blocks = self.blocks.values()
        return any(block.get("text") or block.get("thinking") or block["type"] == "tool_use" for block in blocks)

    def broken(self) -> Answer:
        text, reasoning = (_joined(list(self.blocks.values()), kind) for kind in ("text", "thinking"))
        return Answer({0: Choice(text, reasoning)}, None, self.model, broken=True)


def _inside(event: dict[str, Any]) -> Faults:
    return faults(_STATUS.get(event["error"]["type"], 500), event)


def _joined(blocks: list[dict[str, Any]], kind: str) -> str:
    return "".join(block[kind] for block in blocks if block["type"] == kind)


def _answer(blocks: list[dict[str, Any]], stop_reason: str | None, usage: dict[str, Any], model: str) -> Answer:
    calls = [ToolCall(one["name"], one["input"], one["id"]) for one in blocks if one["type"] == "tool_use"]
    finish_reason = _FINISH_REASONS.get(stop_reason or "")
    text, thinking = _joined(blocks, "text"), _joined(blocks, "thinking")
    choice = Choice(text, thinking, refusal_of(finish_reason), calls, None, finish_reason)
    return Answer({0: choice}, _usage(usage), model)


def _usage(counts: dict[str, Any]) -> Usage:
    """Anthropic's input count leaves out what was read from, or written to, the cache."""
    read, written = (counts.get(f"cache_{side}_input_tokens") or 0 for side in ("read", "creation"))
    details = counts.get("output_tokens_details") or {}
    return Usage(
        prompt=(counts.get("input_tokens") or 0) + read + written,
        completion=counts.get("output_tokens") or 0,
        cached=read,
        reasoning=details.get("thinking_tokens") or 0,
    )
