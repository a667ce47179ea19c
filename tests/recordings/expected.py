"""What a client must get for a recorded exchange, in words of no provider.

The oracles (`oracle_*.py`) make these from a recorded response alone, by the pages that describe each format; they
share no code with the gateway. None says that the recording leaves a thing open: then nothing of it is compared.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from attrs import field, frozen


@frozen
class ToolCall:
    """A call of a function; `arguments` is parsed JSON. `id` None: any that is not empty and unlike the others."""

    name: str
    arguments: Any
    id: str | None = None


@frozen
class Choice:
    """One choice's message, whole. `finish_reason` None: any of OpenAI's, or none. `refusal` None: any text."""

    text: str = ""
    reasoning: str = ""
    refusal: str | None = ""
    tool_calls: Sequence[ToolCall] = ()
    function_call: ToolCall | None = None
    finish_reason: str | None = None


def refusal_of(finish_reason: str | None) -> str | None:
    """Where a format has no refusals of OpenAI's kind: any words may say why an answer was filtered."""
    return None if finish_reason == "content_filter" else ""


@frozen
class Usage:
    """Counts in tokens."""

    prompt: int
    completion: int
    cached: int = 0
    reasoning: int = 0


@frozen
class Answer:
    """A 200. `broken`: the stream fails after this much, so that its client sees an error event and no `[DONE]`."""

    choices: Mapping[int, Choice] = field(factory=dict)
    usage: Usage | None = None
    model: str | None = None
    broken: bool = False


@frozen
class Vectors:
    """Embeddings in order, as the upstream sent them: numbers, or base64 text."""

    data: Sequence[Sequence[float] | str]
    prompt_tokens: int | None = None


@frozen
class Fault:
    """An error. `code` None: any."""

    status: int
    type: str
    code: str | None = None


@frozen
class Faults:
    """An error before anything of an answer: one of these, where the pages leave room for more than one."""

    any_of: tuple[Fault, ...]
    retry_after_s: float | None = None
    """How long the upstream says to wait."""


Expected = Answer | Vectors | Faults
