"""What has been seen of an answer, and what it is taken to have used where the upstream has not said so to the end.

An answer that was cut short, or that lost a race, has cost something all the same. If it counted for nothing, a client
that leaves early would never reach a limit.
"""

from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

from attrs import define, evolve

from clawgw.ledger.record import UsageSource
from clawgw.wire.codec import Chunk, Completion, Done, Event, Passage, Usage, UsageReport
from clawgw.wire.json_body import get_object, get_objects, get_text

CHARACTERS_PER_TOKEN = 4
"""Of English text, for most tokenizers."""

_SAID = ("content", "refusal", "reasoning_content")


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
            match event:
                case Chunk(body):
                    self._note_choices(body, "delta")
                case Passage(texts=texts):
                    self._characters += sum(map(len, texts))
                case UsageReport(usage):
                    self._report(usage)
                case Done() if self._reported is not None:
                    self._report(self._reported)
                case _:
                    pass

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
            self._characters += len(get_text(choice, "text")) + _length(get_object(choice, part))


def _length(message: dict[str, Any]) -> int:
    """The characters that a message, or a part of one, says. What is no text counts as one."""
    said = 1 if message.get("audio") else 0
    for name in _SAID:
        said += len(get_text(message, name))
    for call in get_objects(message, "tool_calls"):
        said += _called(get_object(call, "function"))
    return said + _called(get_object(message, "function_call"))


def _called(function: dict[str, Any]) -> int:
    return len(get_text(function, "name")) + len(get_text(function, "arguments"))
