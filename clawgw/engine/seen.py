"""What has been seen of an answer, and what it is taken to have used where the upstream has not said so to the end.

An answer that was cut short, or that lost a race, has cost something all the same. If it counted for nothing, a client
that leaves early would never reach a limit.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

from attrs import define, evolve

from clawgw.ledger.record import UsageSource
from clawgw.wire.codec import Completion
from clawgw.wire.events import Chunk, Done, Event, Passage, UsageReport
from clawgw.wire.json_body import get_object, get_objects
from clawgw.wire.usage import Usage

CHARACTERS_PER_TOKEN = 4
"""Of English text, for most tokenizers."""


CountPrompt = Callable[[], int]
"""The tokens of a prompt, as far as they can be told without its upstream; asked only where they have to be."""


class Used(NamedTuple):
    """What an answer has used, so far or in all."""

    usage: Usage
    source: UsageSource


@define
class Seen:
    """One attempt's answer, as it comes."""

    finish_reason: str | None = None
    _reported: Usage | None = None
    _characters: int = 0
    """What was said since the last report."""

    def note(self, events: Iterable[Event]) -> None:
        """Some more of a stream."""
        for event in events:
            if isinstance(event, Passage):
                self._characters += sum(map(len, event.texts))
            elif isinstance(event, Chunk):
                self._note_choices(event.body, "delta")
            elif isinstance(event, UsageReport):
                self._report(event.usage)
            elif isinstance(event, Done) and self._reported is not None:
                self._report(self._reported)

    def note_completion(self, completion: Completion) -> None:
        """A whole answer."""
        if completion.usage is None:
            self._note_choices(completion.body, "message")
        else:
            self._report(completion.usage)
        self.finish_reason = completion.finish_reason

    def used(self, count_prompt: CountPrompt) -> Used:
        """What was reported, and an estimate of what was not."""
        since = -(-self._characters // CHARACTERS_PER_TOKEN)
        if self._reported is None:
            return Used(Usage(prompt=count_prompt(), completion=since), "estimated")
        if since:
            return Used(evolve(self._reported, completion=self._reported.completion + since), "estimated")
        return Used(self._reported, "reported")

    def _report(self, usage: Usage) -> None:
        self._reported, self._characters = usage, 0

    def _note_choices(self, body: dict[str, Any], part: str) -> None:
        for choice in get_objects(body, "choices"):
            self.finish_reason = choice.get("finish_reason") or self.finish_reason
            self._characters += _characters(choice) + _characters(get_object(choice, part))


def _characters(message: dict[str, Any]) -> int:
    """What a message, or a part of one, says. What is no text counts as one."""
    said = 0
    for name, value in message.items():
        if value and name in _SAID:
            said += _SAID[name](value)
    return said


def _text(value: Any) -> int:
    return len(value) if isinstance(value, str) else 0


def _call(value: Any) -> int:
    return _text(value.get("name")) + _text(value.get("arguments")) if isinstance(value, dict) else 0


def _calls(value: Any) -> int:
    calls = value if isinstance(value, list) else []
    return sum(_call(call.get("function")) for call in calls if isinstance(call, dict))


def _sound(_: Any) -> int:
    return 1


_SAID: Mapping[str, Callable[[Any], int]] = {
    "content": _text,
    "refusal": _text,
    "reasoning_content": _text,
    "text": _text,
    "tool_calls": _calls,
    "function_call": _call,
    "audio": _sound,
}
"""What each member of a choice or its message counts."""
