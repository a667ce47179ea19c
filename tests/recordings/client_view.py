"""What a client got, read strictly in OpenAI's shape: no synonym, no provider's own field counts."""

import json
from collections.abc import Iterable
from typing import Any

from attrs import define, field

from tests.recordings.expected import Answer, Choice, ToolCall, Usage


def answer_of(bodies: Iterable[dict[str, Any]], *, broken: bool = False) -> Answer:
    """One whole body, or the chunks of a stream, as an `Answer`."""
    choices: dict[int, _Choice] = {}
    usage = model = None
    for body in bodies:
        model = model or body["model"]
        usage = _usage(body["usage"]) if body.get("usage") else usage
        for choice in body["choices"]:
            choices.setdefault(choice["index"], _Choice()).add(choice)
    return Answer({index: choice.whole() for index, choice in choices.items()}, usage, model, broken)


@define
class _Choice:
    text: str = ""
    reasoning: str = ""
    refusal: str = ""
    calls: dict[int, dict[str, str]] = field(factory=dict)
    function: dict[str, str] = field(factory=dict)
    finish_reason: str | None = None

    def add(self, choice: dict[str, Any]) -> None:
        message = choice.get("message") or choice.get("delta") or {}
        self.text += choice.get("text") or message.get("content") or ""
        self.reasoning += message.get("reasoning_content") or ""
        self.refusal += message.get("refusal") or ""
        for at, call in enumerate(message.get("tool_calls") or ()):
            known = self.calls.setdefault(call["index"] if "delta" in choice else at, {})
            _extend(known, {"id": call.get("id"), **call["function"]})
        if message.get("function_call"):
            _extend(self.function, message["function_call"])
        self.finish_reason = choice.get("finish_reason") or self.finish_reason

    def whole(self) -> Choice:
        calls = [_call(self.calls[index]) for index in sorted(self.calls)]
        function = _call(self.function) if self.function else None
        return Choice(self.text, self.reasoning, self.refusal, calls, function, self.finish_reason)


def _extend(known: dict[str, str], fragment: dict[str, str | None]) -> None:
    for name in ("id", "name", "arguments"):
        known[name] = known.get(name, "") + (fragment.get(name) or "")


def _call(parts: dict[str, str]) -> ToolCall:
    try:
        arguments = json.loads(parts["arguments"])
    except ValueError:
        arguments = f"no JSON: {parts['arguments']!r}"
    return ToolCall(parts["name"], arguments, parts["id"])


def _usage(counts: dict[str, Any]) -> Usage:
    prompt, completion = (counts.get(f"{side}_tokens_details") or {} for side in ("prompt", "completion"))
    return Usage(
        counts["prompt_tokens"],
        counts.get("completion_tokens") or 0,
        prompt.get("cached_tokens") or 0,
        completion.get("reasoning_tokens") or 0,
    )
