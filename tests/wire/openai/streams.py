"""The recorded streams of the OpenAI-shaped providers, and how a test reads one."""

from collections.abc import Iterable
from typing import Any

from clawgw.wire.codec import WireTarget
from clawgw.wire.events import SingleEvent, unfold
from clawgw.wire.openai.choices import ChatChoices, Choices, TextChoices
from clawgw.wire.openai.stream import OpenAIStream
from tests.shared import exchanges

PROVIDERS = ("openai", "azure-openai", "deepseek", "groq", "mistral", "openrouter", "moonshot", "other-compat")
TARGET = WireTarget("p", "some-model")
NOW = 1_700_000_000.0


def recorded(collection: str = "recordings") -> list[dict[str, Any]]:
    """The exchanges whose answer is a 200 stream of chat or text completions."""
    return [
        exchange
        for provider in PROVIDERS
        for exchange in exchanges(collection, provider=provider)
        if exchange["response"]["status"] == 200
        and "raw" in exchange["response"]
        and exchange["endpoint"] in ("chat", "completions-legacy")
    ]


def choices_for(raw: bytes) -> Choices:
    """Chat or text, as the stream says of itself."""
    return TextChoices() if b'"text_completion"' in raw else ChatChoices()


def read(pieces: Iterable[bytes], choices: Choices) -> list[SingleEvent]:
    """All events of a stream that comes in `pieces`, each chunk by itself."""
    parser = OpenAIStream(choices, TARGET, NOW)
    events = [event for piece in pieces for event in unfold(parser.feed(piece))]
    return [*events, *unfold(parser.finish())]
