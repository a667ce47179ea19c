"""The choices of a streamed answer: each chunk's part of one, held to OpenAI's rules for streams.

The rules (https://platform.openai.com/docs/api-reference/chat-streaming): the first delta of a choice carries the role
and no other does; each tool call has an index of its own, and its id, type and name come once; the finish reason comes
once, and nothing empty after it. Upstreams break every one of them; the SDKs concatenate what is repeated.
"""

from collections.abc import Iterator
from typing import Any, Protocol

from attrs import define, field

from clawgw.wire.chunks import delta_commits
from clawgw.wire.json_body import get_object, get_objects, get_text
from clawgw.wire.openai.message import arguments_text, call_id, finish_reason, fit_message


class Choices(Protocol):
    """What a stream of chat or of text completions knows of its choices."""

    object_name: str
    """The `object` of its chunks."""

    def fit(self, choice: dict[str, Any], stream_id: str) -> bool | None:
        """Bring a chunk's choice into shape. True: it commits; None: nothing is left of it."""

    def are_whole(self) -> bool:
        """Whether every choice that has begun has finished."""


@define
class _ToolCall:
    index: int
    id: str
    named: bool = False
    has_arguments: bool = False


@define
class _ToolCalls:
    """The tool calls of one choice. Upstreams leave the index out, begin it at 1, or give two calls the same one."""

    _calls: list[_ToolCall] = field(factory=list)
    _at: dict[int | None, _ToolCall] = field(factory=dict)
    """By the upstream's index; at None the latest."""

    def fit(self, fragment: dict[str, Any], id_stem: str) -> None:
        call = self._of(fragment)
        if call is None:
            call = self._begin(fragment, id_stem)
        else:
            fragment.pop("id", None)
            fragment.pop("type", None)
        fragment["index"] = call.index
        function = fragment.get("function")
        if isinstance(function, dict):
            self._fit_function(function, call)

    def _of(self, fragment: dict[str, Any]) -> _ToolCall | None:
        """The call that a fragment goes on with, if it does not begin one."""
        at, said_id = _index(fragment), call_id(fragment)
        call = self._at.get(at)
        if call is None or said_id not in ("", call.id):
            return None
        begins = at is None and not said_id and call.named and get_text(get_object(fragment, "function"), "name")
        return None if begins else call

    def _begin(self, fragment: dict[str, Any], id_stem: str) -> _ToolCall:
        index = len(self._calls)
        call = _ToolCall(index, call_id(fragment) or f"call_{id_stem}_{index}")
        fragment["id"] = call.id
        fragment.setdefault("type", "function")
        self._calls.append(call)
        self._at[_index(fragment)] = self._at[None] = call
        return call

    def _fit_function(self, function: dict[str, Any], call: _ToolCall) -> None:
        if call.named:
            function.pop("name", None)
        call.named |= bool(function.get("name"))
        function["arguments"] = arguments_text(function.get("arguments"))
        call.has_arguments |= bool(function["arguments"])

    def without_arguments(self) -> Iterator[dict[str, Any]]:
        """`{}` for each function call that ended without arguments, which clients could not parse."""
        for call in self._calls:
            if call.named and not call.has_arguments:
                yield {"index": call.index, "function": {"arguments": "{}"}}


@define
class _Message:
    finished: bool = False
    begun: bool = False
    calls: _ToolCalls = field(factory=_ToolCalls)


@define
class ChatChoices:
    """Choices with deltas."""

    object_name = "chat.completion.chunk"
    _messages: dict[int, _Message] = field(factory=dict)

    def fit(self, choice: dict[str, Any], stream_id: str) -> bool | None:
        """See `Choices`."""
        message, delta = self._message(choice), choice.get("delta")
        if type(delta) is not dict:
            delta = choice["delta"] = {}
        fit_message(delta)
        if "tool_calls" in delta:
            self._fit_tool_calls(delta, message, f"{stream_id}_{choice['index']}")
        commits = delta_commits(delta)
        if message.finished and not _holds_anything(delta):
            return None
        if not message.begun:
            message.begun = True
            delta["role"] = "assistant"
        elif "role" in delta:
            del delta["role"]
        self._fit_finish(choice, delta, message)
        return commits

    def are_whole(self) -> bool:
        """See `Choices`."""
        return bool(self._messages) and all(message.finished for message in self._messages.values())

    def _message(self, choice: dict[str, Any]) -> _Message:
        index = choice["index"] = _index(choice) or 0
        message = self._messages.get(index)
        if message is None:
            message = self._messages[index] = _Message()
        return message

    def _fit_tool_calls(self, delta: dict[str, Any], message: _Message, id_stem: str) -> None:
        fragments = delta["tool_calls"] = get_objects(delta, "tool_calls")
        for fragment in fragments:
            message.calls.fit(fragment, id_stem)
        if not fragments:
            del delta["tool_calls"]

    def _fit_finish(self, choice: dict[str, Any], delta: dict[str, Any], message: _Message) -> None:
        reason = choice.get("finish_reason")
        choice["finish_reason"] = None
        if not reason or message.finished:
            return
        choice["finish_reason"] = finish_reason(reason)
        message.finished = True
        if missing := list(message.calls.without_arguments()):
            delta["tool_calls"] = delta.get("tool_calls", []) + missing


@define
class TextChoices:
    """Choices with texts."""

    object_name = "text_completion"
    _finished: dict[int, bool] = field(factory=dict)

    def fit(self, choice: dict[str, Any], stream_id: str) -> bool | None:  # noqa: ARG002 - a text has no ids
        """See `Choices`."""
        index = choice["index"] = _index(choice) or 0
        choice["text"] = get_text(choice, "text")
        reason = choice.get("finish_reason")
        choice["finish_reason"] = finish_reason(reason) if reason else None
        self._finished[index] = bool(reason) or self._finished.get(index, False)
        return bool(choice["text"])

    def are_whole(self) -> bool:
        """See `Choices`."""
        return bool(self._finished) and all(self._finished.values())


def _holds_anything(delta: dict[str, Any]) -> bool:
    return any(value for name, value in delta.items() if name != "role")


def _index(item: dict[str, Any]) -> int | None:
    index = item.get("index")
    return index if isinstance(index, int) else None
