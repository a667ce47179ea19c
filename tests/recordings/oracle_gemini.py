"""What a client must get for an answer of Google's Gemini API. By `wire-formats.md`, section B3.

Numbers in the place of enum names are those of `google.ai.generativelanguage.v1beta.Candidate.FinishReason`; fragments
of arguments (`partialArgs`) are described at https://cloud.google.com/vertex-ai/generative-ai/docs/multimodal/function-calling.
"""

import json
import re
from collections.abc import Iterable
from typing import Any

from attrs import define, field

from tests.recordings.events import json_events
from tests.recordings.expected import Answer, Choice, Expected, Faults, ToolCall, Usage, Vectors, refusal_of
from tests.recordings.faults import INVALID, REFUSED_ANSWER, faults_inside

_BY_NUMBER = {1: "STOP", 2: "MAX_TOKENS", 3: "SAFETY", 4: "RECITATION", 5: "OTHER"}
_FINISH_REASONS = {
    "STOP": "stop",
    "MAX_TOKENS": "length",
    "CONTINUATION": "length",
    **dict.fromkeys(
        ("SAFETY", "RECITATION", "BLOCKLIST", "PROHIBITED_CONTENT", "SPII", "MODEL_ARMOR", "IMAGE_SAFETY"),
        "content_filter",
    ),
}
_FAILURES = {
    "MALFORMED_FUNCTION_CALL",
    "UNEXPECTED_TOOL_CALL",
    "TOO_MANY_TOOL_CALLS",
    "MISSING_THOUGHT_SIGNATURE",
    "MALFORMED_RESPONSE",
    "LANGUAGE",
    "OTHER",
    "NO_IMAGE",
    "ESCALATION",
}


def read_body(body: Any) -> Expected:
    """A whole 200 body; a list of increments is read as a stream."""
    return _read(body if isinstance(body, list) else [body])


def read_stream(raw: str) -> Expected:
    """The text of a 200 stream of server-sent events."""
    return _read(json_events(raw))


def read_embeddings(body: Any) -> Expected:
    """A whole 200 body of `batchEmbedContents`, or of `embedContent`."""
    embeddings = body["embeddings"] if "embeddings" in body else [body["embedding"]]
    return Vectors([one["values"] for one in embeddings])


def _read(increments: Iterable[dict[str, Any]]) -> Expected:
    answer = _Answer()
    for increment in increments:
        if "error" in increment:
            return answer.broken() if answer.committed else faults_inside(increment["error"])
        answer.add(increment)
    if answer.blocked and not answer.choices:
        blocked = Choice(refusal=refusal_of("content_filter"), finish_reason="content_filter")
        return Answer({0: blocked}, answer.usage, answer.model)
    reasons = {choice.finish for choice in answer.choices.values()}
    if not reasons or None in reasons:
        return answer.broken() if answer.committed else Faults((INVALID,))
    if reasons & _FAILURES:
        return answer.broken() if answer.committed else Faults((REFUSED_ANSWER,))
    return answer.whole()


@define
class _Call:
    """A function call, whole or from fragments."""

    name: str
    id: str | None
    arguments: dict[str, Any]


@define
class _Choice:
    """A candidate, from its increments."""

    text: str = ""
    reasoning: str = ""
    calls: list[_Call] = field(factory=list)
    open: bool = False
    """The last call goes on in the next part."""
    finish: str | None = None

    def add(self, candidate: dict[str, Any]) -> None:
        for part in (candidate.get("content") or {}).get("parts") or ():
            if "functionCall" in part:
                self.add_call(part["functionCall"])
            elif part.get("thought"):
                self.reasoning += part.get("text", "")
            else:
                self.text += part.get("text", "")
        reason: Any = candidate.get("finishReason")
        self.finish = _BY_NUMBER.get(reason, reason) or self.finish

    def add_call(self, part: dict[str, Any]) -> None:
        if not self.open:
            self.calls.append(_Call(part["name"], part.get("id"), dict(part.get("args") or {})))
        for fragment in part.get("partialArgs") or ():
            _extend(self.calls[-1].arguments, fragment)
        self.open = part.get("willContinue", False)

    def whole(self) -> Choice:
        calls = [ToolCall(call.name, call.arguments, call.id) for call in self.calls]
        reason = "tool_calls" if calls and self.finish == "STOP" else _FINISH_REASONS.get(self.finish or "")
        return Choice(self.text, self.reasoning, refusal_of(reason), calls, None, reason)


@define
class _Answer:
    """The increments so far."""

    choices: dict[int, _Choice] = field(factory=dict)
    usage: Usage | None = None
    model: str | None = None
    blocked: bool = False

    def add(self, increment: dict[str, Any]) -> None:
        self.model = increment.get("modelVersion") or self.model
        self.blocked = self.blocked or "blockReason" in (increment.get("promptFeedback") or {})
        for candidate in increment.get("candidates") or ():
            self.choices.setdefault(candidate.get("index", 0), _Choice()).add(candidate)
        counts = increment.get("usageMetadata") or {}
        if "promptTokenCount" in counts:
            self.usage = _usage(counts)

    @property
    def committed(self) -> bool:
        return any(choice.text or choice.reasoning or choice.calls for choice in self.choices.values())

    def whole(self) -> Answer:
        return Answer({at: choice.whole() for at, choice in self.choices.items()}, self.usage, self.model)

    def broken(self) -> Answer:
        shown = {at: Choice(choice.text, choice.reasoning) for at, choice in self.choices.items()}
        return Answer(shown, None, self.model, broken=True)


def _extend(arguments: dict[str, Any], fragment: dict[str, Any]) -> None:
    """Set, or lengthen, what a fragment's path names; only paths of plain keys have been seen."""
    *way, last = re.findall(r"[^.\[\]'\"$]+", fragment["jsonPath"])
    for key in way:
        arguments = arguments.setdefault(key, {})
    values = [fragment[name] for name in fragment if name.endswith("Value")]
    if "stringValue" in fragment:
        arguments[last] = arguments.get(last, "") + fragment["stringValue"]
    elif values:
        arguments[last] = values[0] if "nullValue" not in fragment else None
    else:
        raise ValueError(json.dumps(fragment))


def _usage(counts: dict[str, Any]) -> Usage:
    thoughts = counts.get("thoughtsTokenCount") or 0
    return Usage(
        prompt=counts["promptTokenCount"] + (counts.get("toolUsePromptTokenCount") or 0),
        completion=(counts.get("candidatesTokenCount") or 0) + thoughts,
        cached=counts.get("cachedContentTokenCount") or 0,
        reasoning=thoughts,
    )
