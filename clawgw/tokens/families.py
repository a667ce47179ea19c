"""Models that count alike: which vocabulary, what a message costs beside its text, and how sure that is.

The vocabularies are those of tiktoken's `model.py`, the cost of a message that of OpenAI's cookbook, "How to count
tokens with tiktoken"; reasoning models were seen to prime their answer with a token less, and to take two more for a
message of the assistant's. Models younger than tiktoken's table are taken to be like the youngest in it, as an
estimate. What other vendors' models add to every request, and to one with tools, is from their documentation where
they say it (Anthropic: "Tool use with Claude", pricing) and else as it was seen in the usage of their answers.
"""

from fnmatch import fnmatchcase
from functools import lru_cache

from attrs import frozen

from clawgw.tokens.vocabulary import Vocabulary


@frozen
class Family:
    """Counts are in tokens."""

    models: tuple[str, ...]
    """Patterns of names, without a maker's prefix, in lower case."""
    vocabulary: Vocabulary = "o200k_base"
    exact: bool = False
    """Whether the count of a plain text prompt is what the provider will report, to a token or two."""
    ratio: float = 1.0
    """The family's tokens for one of the vocabulary's, until usage has taught better."""
    always: int = 3
    """What every request costs beside its messages."""
    message: int = 4
    """What a message costs beside its text, of which one is its role."""
    assistant: int = 4
    """As `message`, for one of the assistant's."""
    tools: int = 0
    """What offering any tools adds."""
    declares: bool = False
    """Whether tools reach the model as TypeScript declarations, not as JSON."""


_FAMILIES = (
    Family(("*search-preview*", "*audio*", "*realtime*"), declares=True, tools=9),
    Family(("gpt-4o*", "chatgpt-4o*", "gpt-4.1*", "gpt-4.5*"), exact=True, declares=True, tools=9),
    Family(("gpt-5*", "o[134]", "o[134]-*"), exact=True, always=2, assistant=6, declares=True, tools=90),
    Family(("gpt-4*", "gpt-3.5*", "gpt-35*"), "cl100k_base", exact=True, declares=True, tools=9),
    Family(("text-embedding-*", "davinci-002", "babbage-002"), "cl100k_base", exact=True),
    Family(("gpt-oss*",), always=66, declares=True, tools=40),
    Family(("gpt-[6-9]*", "o[1-9]*"), always=2, assistant=6, declares=True, tools=90),
    Family(("claude-*-4-[5-8]*", "claude-*-4.[5-8]*"), ratio=1.1, tools=500),
    Family(("claude*",), ratio=1.1, tools=346),
    Family(("gemini*", "gemma*"), always=0, message=0, assistant=0),
    Family(("*stral*", "*xtral*"), tools=30),
    Family(("kimi*", "moonshot*"), tools=40),
    Family(("llama*",), always=12, tools=170),
    Family(("*",), tools=100),
)


@lru_cache(maxsize=1024)
def family_of(model: str) -> Family:
    """The family of a model by its name at the provider, also with a maker's prefix or fine-tuned."""
    name = plain_name(model)
    return next(family for family in _FAMILIES if matches(name, family.models))


def plain_name(model: str) -> str:
    """`openai/gpt-4o` → `gpt-4o`, `ft:gpt-4o-mini-2024-07-18:acme::a1b2` → `gpt-4o-mini-2024-07-18`."""
    name = model.rsplit("/", 1)[-1].lower()
    return name.split(":")[1] if name.startswith("ft:") else name


def matches(name: str, patterns: tuple[str, ...]) -> bool:
    """Whether a plain name is among the patterns."""
    return any(fnmatchcase(name, pattern) for pattern in patterns)
