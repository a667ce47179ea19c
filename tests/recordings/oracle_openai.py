"""What a client must get for an answer in OpenAI's shape: OpenAI, Mistral, Groq, OpenRouter, Moonshot and their like.

By `wire-formats.md`, sections A, B1 and B4 to B7.
"""

import json
from collections.abc import Iterable
from typing import Any

from attrs import define, field

from tests.recordings.events import json_events
from tests.recordings.expected import Answer, Choice, Expected, Faults, ToolCall, Usage, Vectors
from tests.recordings.faults import INVALID, faults_inside

FINISH_REASONS = {"stop", "length", "tool_calls", "content_filter", "function_call"}
"""OpenAI's own; a client never sees another."""

_SYNONYMS = {"model_length": "length", "end_turn": "stop", "eos": "stop"}


def read_completion(body: Any) -> Expected:
    """A whole 200 body of chat or text completions."""
    if not isinstance(body, dict) or ("error" not in body and not body.get("choices")):
        return Faults((INVALID,))
    if body.get("error"):
        return faults_inside(body["error"])
    for choice in body["choices"]:
        if choice.get("finish_reason") == "error":
            return faults_inside(choice.get("error") or {})
    message = _Message()
    message.add(body)
    return message.answer()


def read_stream(raw: str) -> Expected:
    """The text of a 200 stream of chat or text completions."""
    message = _Message()
    for chunk in json_events(raw):
        error = chunk.get("error") or (chunk.get("x_groq") or {}).get("error")
        if error:
            failed = error if isinstance(error, dict) else {}
            return message.answer(broken=True) if message.committed else faults_inside(failed)
        message.add(chunk)
    if message.finished:
        return message.answer()
    return message.answer(broken=True) if message.committed else Faults((INVALID,))


def read_embeddings(body: Any) -> Expected:
    """A whole 200 body of embeddings."""
    return Vectors([item["embedding"] for item in body["data"]], body["usage"]["prompt_tokens"])


@define
class _Call:
    """A tool call, from its fragments."""

    id: str = ""
    name: str = ""
    arguments: str = ""

    def add(self, fragment: dict[str, Any]) -> None:
        function = fragment.get("function") or {}
        self.id = self.id or fragment.get("id") or ""
        self.name = self.name or function.get("name") or ""
        given = function.get("arguments") or ""
        self.arguments += given if isinstance(given, str) else json.dumps(given)

    def whole(self) -> ToolCall:
        return ToolCall(self.name, json.loads(self.arguments or "{}"), self.id or None)


@define
class _Choice:
    """A choice, from its deltas or its message."""

    text: str = ""
    reasoning: str = ""
    refusal: str = ""
    calls: dict[int, _Call] = field(factory=dict)
    function_call: _Call | None = None
    finish_reason: str | None = None

    def add(self, choice: dict[str, Any]) -> None:
        message = choice.get("message") or choice.get("delta") or {}
        text, thinking = _content(message.get("content") or choice.get("text"))
        self.text += text
        self.reasoning += thinking or _reasoning(message)
        self.refusal += message.get("refusal") or ""
        for at, fragment in enumerate(message.get("tool_calls") or ()):
            self.calls.setdefault(fragment.get("index", at), _Call()).add(fragment)
        if message.get("function_call"):
            self.function_call = self.function_call or _Call()
            self.function_call.add({"function": message["function_call"]})
        finish = choice.get("finish_reason")
        self.finish_reason = _SYNONYMS.get(finish, finish) if finish else self.finish_reason

    def whole(self) -> Choice:
        return Choice(
            text=self.text,
            reasoning=self.reasoning,
            refusal=self.refusal,
            tool_calls=[self.calls[index].whole() for index in sorted(self.calls)],
            function_call=self.function_call.whole() if self.function_call else None,
            finish_reason=self.finish_reason,
        )


@define
class _Message:
    """An answer, from its chunks or its one body."""

    choices: dict[int, _Choice] = field(factory=dict)
    usage: Usage | None = None
    model: str | None = None

    def add(self, chunk: dict[str, Any]) -> None:
        self.model = self.model or chunk.get("model") or None
        for at, choice in enumerate(chunk.get("choices") or ()):
            self.choices.setdefault(choice.get("index", at), _Choice()).add(choice)
        for counts in _counts(chunk):
            self.usage = read_usage(counts)

    @property
    def committed(self) -> bool:
        shown = (choice.whole() for choice in self.choices.values())
        return any(one.text or one.reasoning or one.refusal or one.tool_calls or one.function_call for one in shown)

    @property
    def finished(self) -> bool:
        return bool(self.choices) and all(choice.finish_reason for choice in self.choices.values())

    def answer(self, *, broken: bool = False) -> Answer:
        if broken:
            # A call may have been cut in its arguments; what came of the text is compared.
            shown = {at: Choice(one.text, one.reasoning, one.refusal) for at, one in self.choices.items()}
            return Answer(shown, None, self.model, broken=True)
        return Answer({at: one.whole() for at, one in self.choices.items()}, self.usage, self.model)


def _counts(chunk: dict[str, Any]) -> Iterable[dict[str, Any]]:
    """Wherever usage stands: beside the choices, in one of them (Moonshot), in `x_groq` (Groq)."""
    places = [chunk, *(chunk.get("choices") or ()), chunk.get("x_groq") or {}]
    return [place["usage"] for place in places if place.get("usage")]


def read_usage(counts: dict[str, Any]) -> Usage:
    """A `usage` object. Cached tokens stand in the details, or (Moonshot) on the top."""
    prompt, completion = (counts.get(f"{side}_tokens_details") or {} for side in ("prompt", "completion"))
    return Usage(
        prompt=counts["prompt_tokens"],
        completion=counts.get("completion_tokens") or 0,
        cached=prompt.get("cached_tokens") or counts.get("cached_tokens") or 0,
        reasoning=completion.get("reasoning_tokens") or 0,
    )


def _content(content: str | list[dict[str, Any]] | None) -> tuple[str, str]:
    """Text and thinking; Mistral sends a list of both."""
    if isinstance(content, str) or content is None:
        return content or "", ""
    text = "".join(part["text"] for part in content if part["type"] == "text")
    thinking = (inner for part in content if part["type"] == "thinking" for inner in part["thinking"])
    return text, "".join(inner.get("text", "") for inner in thinking)


def _reasoning(message: dict[str, Any]) -> str:
    """The text under either name, else that of OpenRouter's details."""
    told: str = message.get("reasoning_content") or message.get("reasoning") or ""
    details = message.get("reasoning_details") or ()
    return told or "".join(detail.get("text") or detail.get("summary") or "" for detail in details)
