"""What the prompt of a checked request is made of."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from attrs import define, field

from clawgw.tokens.media import is_media
from clawgw.tokens.tools import as_json
from clawgw.wire.request import EmbeddingsRequest, TextRequest

Input = str | Sequence[int]
"""A text, or its tokens."""

_TEXTS = ("text", "refusal")
"""Types of content parts that are text, which stands in a member of the same name."""


@define
class Content:
    """What the messages of a chat hold, sorted."""

    texts: list[str] = field(factory=list)
    """What is said."""
    beside: list[str] = field(factory=list)
    """What else is text: names, past tool calls, and parts of a provider's own types."""
    media: list[Mapping[str, Any]] = field(factory=list)
    """Images, sounds, videos and files."""
    messages: int = 0
    answers: int = 0
    """How many of the messages are the assistant's."""
    names: int = 0
    calls: int = 0

    def add(self, message: Mapping[str, Any]) -> None:
        """One more message."""
        said = message.get("content")
        if type(said) is str:
            self.texts.append(said)
        elif type(said) is list:
            for part in said:
                self._add_part(part)
        self.messages += 1
        if message.get("role") == "assistant":
            self.answers += 1
        if "name" in message:
            self._add_name(message["name"])
        if "tool_calls" in message:
            self._add_calls(message["tool_calls"] or ())

    def _add_name(self, name: object) -> None:
        self.names += 1
        if isinstance(name, str):
            self.beside.append(name)

    def _add_calls(self, calls: Iterable[Mapping[str, Any]]) -> None:
        for call in calls:
            self.calls += 1
            called = call.get("function") or call.get("custom") or {}
            self.beside.append(f"{called.get('name')} {called.get('arguments') or called.get('input')}")

    def _add_part(self, part: object) -> None:
        if isinstance(part, str):
            self.texts.append(part)
        elif isinstance(part, Mapping):
            kind = part.get("type")
            if kind in _TEXTS:
                text = part.get(kind)
                self.texts += [text] if isinstance(text, str) else []
            elif is_media(part):
                self.media.append(part)
            else:
                self.beside.append(as_json(part))


def content_of(messages: Iterable[Mapping[str, Any]]) -> Content:
    """Of the messages of a chat."""
    content = Content()
    for message in messages:
        content.add(message)
    return content


def inputs(request: TextRequest | EmbeddingsRequest) -> Sequence[Input]:
    """The prompts of a text completion, or what is to be embedded. Each has the context window for itself."""
    value = request.body["prompt" if isinstance(request, TextRequest) else "input"]
    return [value] if isinstance(value, str) or (value and isinstance(value[0], int)) else value


def bytes_of(texts: Iterable[Input]) -> int:
    """The UTF-8 bytes of texts; of tokens, as many as they are."""
    return sum(
        [
            len(text) if type(text) is not str or text.isascii() else len(text.encode(errors="surrogatepass"))
            for text in texts
        ]
    )
