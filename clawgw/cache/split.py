"""A whole answer as the stream that would have said it: `assemble` backwards. Pure.

For each choice the role comes first, then the reasoning, the content, the tool calls, whatever else there is, and the
finish reason. Source of the shape: https://platform.openai.com/docs/api-reference/chat-streaming.
"""

from collections.abc import Iterator
from typing import Any

from clawgw.wire.chunks import delta_commits
from clawgw.wire.events import Chunk, Done, Event, UsageReport
from clawgw.wire.usage import Usage

Json = dict[str, Any]

_IN_ORDER = (("reasoning_content", "reasoning", "reasoning_details"), ("content",), ("tool_calls",))
"""The members of a message that go out together, the first first."""


def split(body: Json, usage: Usage | None) -> Iterator[Event]:
    """The events for a `chat.completion` or a `text_completion`, to the `Done` at their end."""
    is_chat = body["object"] == "chat.completion"
    name = "chat.completion.chunk" if is_chat else body["object"]
    head = {key: value for key, value in body.items() if key not in ("choices", "usage")} | {"object": name}
    for choice in body["choices"]:
        for part in _chat_parts(choice) if is_chat else _text_parts(choice):
            commits = delta_commits(part.get("delta", {})) or bool(part.get("text"))
            yield Chunk({**head, "choices": [part]}, commits)
    if usage is not None:
        yield UsageReport(usage)
    yield Done()


def _chat_parts(choice: Json) -> Iterator[Json]:
    """The logprobs go with the content, which they are about; where there is none, with the end."""
    end = {key: value for key, value in choice.items() if key != "message"} | {"delta": {}}
    for delta in _deltas(choice["message"]):
        part: Json = {"index": choice["index"], "delta": delta, "finish_reason": None}
        if "logprobs" in choice:
            part["logprobs"] = end["logprobs"] if delta.get("content") else None
            end["logprobs"] = None if delta.get("content") else end["logprobs"]
        yield part
    yield end


def _deltas(message: Json) -> Iterator[Json]:
    """First what is empty, with the role; then what is not."""
    said = {name: value for name, value in message.items() if name != "role" and value}
    begin = {name: value for name, value in message.items() if not value}
    begin |= {"content": ""} if said.get("content") else {}
    yield {"role": "assistant", **begin}
    if calls := said.get("tool_calls"):
        said["tool_calls"] = [{"index": index, **call} for index, call in enumerate(calls)]
    for names in _IN_ORDER:
        if delta := {name: said.pop(name) for name in names if name in said}:
            yield delta
    if said:
        yield said


def _text_parts(choice: Json) -> Iterator[Json]:
    yield {**choice, "finish_reason": None}
    yield {"index": choice["index"], "text": "", "finish_reason": choice["finish_reason"]}
