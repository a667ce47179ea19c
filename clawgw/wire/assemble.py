"""The whole answer that a stream's chunks add up to. Pure.

How the members of deltas add up is a matter of their names and types, as in the official clients: texts are joined,
lists go on, objects are merged member by member, and items with an `index` (tool calls, reasoning details) with the one
that has the same. Members that name or date something are set.
Source of the shapes: https://platform.openai.com/docs/api-reference/chat-streaming, …/completions.
"""

from collections.abc import Iterable
from typing import Any

from attrs import define, field

from clawgw.wire.codec import Completion
from clawgw.wire.events import Chunk, Event, UsageReport, unfold
from clawgw.wire.json_body import get_object, get_objects
from clawgw.wire.usage import Usage

Json = dict[str, Any]

_SET = frozenset(
    {
        *("index", "id", "type", "role", "name", "channel", "format", "signature", "mime_type", "severity"),
        *("finish_reason", "native_finish_reason"),
    }
)
"""Texts of which the last counts; all others are joined."""
_OBJECTS = {"chat.completion.chunk": "chat.completion"}
_SMALL = 8
"""What a number, a name or a null counts for."""


@define(eq=False)
class _Text:
    """A text in the pieces that it came in; to join them one by one would take time by the square of its length."""

    pieces: list[str]


@define(eq=False)
class Assembly:
    """One stream, chat or text. `most` is the number of characters beyond which no more is taken.

    The events stay as they are.
    """

    most: int
    _size: int = field(default=0, init=False)
    _head: Json = field(factory=dict, init=False)
    _choices: dict[int, Json] = field(factory=dict, init=False)
    _usage: Usage | None = field(default=None, init=False)

    def take(self, events: Iterable[Event]) -> None:
        """Some more of the stream."""
        for event in unfold(events):
            if isinstance(event, UsageReport):
                self._usage = event.usage
            elif isinstance(event, Chunk) and not self.is_over:
                self._add(event.body)

    @property
    def is_over(self) -> bool:
        """Whether there is more than `most`."""
        return self._size > self.most

    def completion(self) -> Completion | None:
        """The answer, once the stream is whole. None: it was too large, or said nothing."""
        if self.is_over or not self._choices:
            return None
        body = self.so_far()
        return Completion(body, self._usage, body["choices"][0].get("finish_reason"))

    def so_far(self) -> Json:
        """What has been taken, as if it were whole; empty: nothing was."""
        if not self._choices:
            return {}
        choices = [_whole_choice(choice) for _, choice in sorted(self._choices.items())]
        body = {**self._head, "choices": choices}
        body["object"] = _OBJECTS.get(body["object"], body["object"])
        return body if self._usage is None else {**body, "usage": self._usage.body}

    def _add(self, chunk: Json) -> None:
        for name, value in chunk.items():
            if name != "choices" and (value is not None or name not in self._head):
                self._head[name] = value
        for choice in get_objects(chunk, "choices"):
            self._merge_into(self._choices.setdefault(choice["index"], {}), choice)

    def _merge_into(self, whole: Json, part: Json) -> None:
        for name, value in part.items():
            if name in whole and name not in _SET:
                whole[name] = self._merged(whole[name], value)
            elif name not in whole or value is not None:
                whole[name] = self._taken(value)

    def _merged(self, old: Any, new: Any) -> Any:
        match old, new:
            case _, None:
                return old
            case _Text(), str():
                self._size += len(new)
                old.pieces.append(new)
            case str(), str():
                self._size += len(new)
                return _Text([old, new])
            case dict(), dict():
                self._merge_into(old, new)
            case list(), list():
                for item in new:
                    self._merge_item(old, item)
            case _:
                return self._taken(new)
        return old

    def _merge_item(self, items: list[Any], item: Any) -> None:
        same = next((old for old in reversed(items) if _is_part(item, old)), None) if _index(item) is not None else None
        if same is None:
            items.append(self._taken(item))
        else:
            self._merge_into(same, item)

    def _taken(self, value: Any) -> Any:
        """A copy, since it will grow."""
        self._size += _SMALL
        if isinstance(value, dict):
            return {name: self._taken(member) for name, member in value.items()}
        if isinstance(value, list):
            return self._merged([], value)
        self._size += len(value) if isinstance(value, str) else 0
        return value


def _index(item: Any) -> Any:
    return item.get("index") if isinstance(item, dict) else None


def _is_part(item: Json, old: Any) -> bool:
    """Whether two items are of one thing: the same index, and no other type."""
    return _index(old) == item["index"] and item.get("type") in (None, old.get("type"))


def _whole_choice(choice: Json) -> Json:
    whole: Json = _joined(choice)
    if "delta" in whole:
        message = {"role": "assistant", "content": None, **get_object(whole, "delta")}
        del whole["delta"]
        for call in get_objects(message, "tool_calls"):
            call.pop("index", None)
        whole["message"] = message
    return whole


def _joined(value: Any) -> Any:
    if isinstance(value, _Text):
        return "".join(value.pieces)
    if isinstance(value, dict):
        return {name: _joined(member) for name, member in value.items()}
    return [_joined(item) for item in value] if isinstance(value, list) else value
