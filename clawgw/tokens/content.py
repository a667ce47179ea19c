"""What the prompt of a checked request is made of."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from clawgw.tokens.media import is_media
from clawgw.tokens.tools import as_json, offered
from clawgw.wire.request import ChatRequest, EmbeddingsRequest, Request, TextRequest

Input = str | Sequence[int]
"""A text, or its tokens."""

_TEXTS = ("text", "refusal")
"""Types of content parts that are text, which stands in a member of the same name."""


def parts(messages: Sequence[Mapping[str, Any]]) -> Iterator[object]:
    """What messages say: strings, and content parts."""
    for message in messages:
        content = message.get("content")
        if isinstance(content, list):
            yield from content
        elif content is not None:
            yield content


def spoken(messages: Sequence[Mapping[str, Any]]) -> list[str]:
    """The texts among that."""
    return [text for text in map(_text, parts(messages)) if text is not None]


def beside(messages: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """What else they hold that is text: names, past tool calls, and parts of a provider's own types."""
    for message in messages:
        if isinstance(message.get("name"), str):
            yield message["name"]
        for call in message.get("tool_calls") or ():
            called = call.get("function") or call.get("custom") or {}
            yield f"{called.get('name')} {called.get('arguments') or called.get('input')}"
    for part in parts(messages):
        if isinstance(part, Mapping) and part.get("type") not in _TEXTS and not is_media(part):
            yield as_json(part)


def inputs(request: TextRequest | EmbeddingsRequest) -> Sequence[Input]:
    """The prompts of a text completion, or what is to be embedded. Each has the context window for itself."""
    value = request.body["prompt" if isinstance(request, TextRequest) else "input"]
    return [value] if isinstance(value, str) or (value and isinstance(value[0], int)) else value


def byte_count(request: Request) -> int:
    """The UTF-8 bytes of all its texts; of tokens, as many as they are."""
    if not isinstance(request, ChatRequest):
        return sum(map(_bytes_of, inputs(request)))
    messages, tools = request.body["messages"], offered(request.body)
    texts = [*spoken(messages), *beside(messages), *([as_json(tools)] if tools else ())]
    return sum(map(_bytes_of, texts))


def _text(part: object) -> str | None:
    if isinstance(part, Mapping):
        kind = part.get("type")
        part = part.get(kind) if kind in _TEXTS else None
    return part if isinstance(part, str) else None


def _bytes_of(text: Input) -> int:
    return len(text) if not isinstance(text, str) or text.isascii() else len(text.encode(errors="surrogatepass"))
