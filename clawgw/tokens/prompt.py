"""A request's prompt, counted: once for each model that is asked about, and not at all where nobody asks."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Literal

from attrs import define, evolve, field, frozen

from clawgw.tokens.families import Family, family_of
from clawgw.tokens.images import image_tokens
from clawgw.tokens.media import VIDEO, audio_tokens, file_tokens
from clawgw.tokens.tools import as_declarations, as_json, offered
from clawgw.tokens.vocabulary import Vocabulary, count_text
from clawgw.wire.request import ChatRequest, Request, TextRequest

LARGE = 20_000
"""Bytes of text above which counting takes long enough (0.5 ms) to be worth a thread."""
BYTES_PER_TOKEN = 4
"""Of English text, and about so of Chinese: for what must be cheap."""
MOST_COUNTED = 4_000_000
"""Characters that are counted, for 0.2 s mostly, 3 s at worst; what comes after them is taken to be like them."""
CALL = 8
"""What a past tool call costs beside its name and its arguments."""

_COSTLY = ("prediction", "web_search_options")
"""Fields of a chat request that cost tokens of the prompt, nobody says how many."""
_TEXTS = {"text": "text", "refusal": "refusal"}
"""Types of content parts that are text, and where it stands."""

Exactness = Literal["exact", "estimated"]


@frozen
class Count:
    """A prompt in a model's tokens.

    `kind` is "exact" for a plain text prompt of a model whose vocabulary is known: then it is what the provider will
    report, but for a token or two. `surely` is what its longest text has whatever the model's vocabulary may be: by it
    nothing is refused that would have fitted.
    """

    tokens: int
    kind: Exactness
    surely: int

    def scaled(self, ratio: float) -> "Count":
        """With what usage has taught; an exact count has nothing to learn."""
        return self if self.kind == "exact" else evolve(self, tokens=round(self.tokens * ratio))


@define(eq=False)
class Prompt:
    """The prompt of one request. `count` may run in a thread, one at a time."""

    request: Request = field(repr=False)
    _counts: dict[str, Count] = field(init=False, factory=dict, repr=False)
    _bytes: int | None = field(init=False, default=None)

    @property
    def bytes(self) -> int:
        """The UTF-8 bytes of its texts. It has no more tokens of text than these, for a token is at least a byte."""
        if self._bytes is None:
            self._bytes = sum(map(_bytes_of, _all_texts(self.request)))
        return self._bytes

    def known(self, model: str) -> Count | None:
        """The count for a model, if it was made."""
        return self._counts.get(model)

    def count(self, model: str) -> Count:
        """In tokens of a model, under its provider's name of it."""
        if model not in self._counts:
            self._counts[model] = _count(self.request, model)
        return self._counts[model]

    @property
    def rough(self) -> int:
        """In nobody's tokens in particular, and cheap: what was counted already, or is short, or else by the byte."""
        if self._counts:
            return next(iter(self._counts.values())).tokens
        if self.bytes <= LARGE:
            return self.count(self.request.model).tokens
        return self.bytes // BYTES_PER_TOKEN + _media_tokens(self.request, self.request.model)


def parts(messages: Sequence[Mapping[str, Any]]) -> Iterator[object]:
    """What messages say: strings, and content parts."""
    for message in messages:
        content = message.get("content")
        if isinstance(content, list):
            yield from content
        elif content is not None:
            yield content


def is_media(part: object) -> bool:
    """Whether a content part is an image, a sound, a video or a file."""
    return isinstance(part, Mapping) and part.get("type") in _MEDIA


def _count(request: Request, model: str) -> Count:
    family = family_of(model)
    if isinstance(request, ChatRequest):
        return _count_chat(request.body, family, model)
    counted = [(one, _input_tokens(one, family)) for one in _inputs(request)]
    return Count(
        round(sum(tokens for _, tokens in counted) * family.ratio),
        "exact" if family.exact else "estimated",
        max((_surely(len(one), tokens, family) for one, tokens in counted), default=0),
    )


def _count_chat(body: Mapping[str, Any], family: Family, model: str) -> Count:
    messages = body["messages"]
    texts = [text for part in parts(messages) if (text := _text(part)) is not None]
    spoken = _tokens_of(texts, family.vocabulary)
    around = [*_beside(messages), *_declared(body, family)]
    media = sum(_media(part, model) for part in parts(messages))
    tokens = round((spoken + _tokens_of(around, family.vocabulary)) * family.ratio) + _framing(body, family) + media
    exact = family.exact and not (around or media or any(body.get(name) for name in _COSTLY))
    return Count(tokens, "exact" if exact else "estimated", _surely(sum(map(len, texts)), spoken, family))


def _tokens_of(texts: Sequence[str], vocabulary: Vocabulary) -> int:
    tokens, left = 0, MOST_COUNTED
    for text in texts:
        tokens += count_text(text[:left], vocabulary)
        left -= len(text)
        if left < 0:
            return tokens * sum(map(len, texts)) // MOST_COUNTED
    return tokens


def _surely(characters: int, tokens: int, family: Family) -> int:
    """Of another vocabulary than the one counted with: half of that count, and of a token for two characters."""
    return tokens if family.exact else min(tokens, characters // 2) // 2


def _framing(body: Mapping[str, Any], family: Family) -> int:
    messages: Sequence[Mapping[str, Any]] = body["messages"]
    calls = sum(len(message.get("tool_calls") or ()) for message in messages)
    names = sum("name" in message for message in messages)
    answers: int = sum(message.get("role") == "assistant" for message in messages)
    told = (len(messages) - answers) * family.message + answers * family.assistant
    return family.always + told + names + calls * CALL + (family.tools if offered(body) else 0)


def _beside(messages: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """What messages hold beside what they say."""
    for message in messages:
        if isinstance(message.get("name"), str):
            yield message["name"]
        for call in message.get("tool_calls") or ():
            called = call.get("function") or call.get("custom") or {}
            yield f"{called.get('name')} {called.get('arguments') or called.get('input')}"
    for part in parts(messages):
        if isinstance(part, Mapping) and part.get("type") not in _TEXTS and not is_media(part):
            yield as_json(part)


def _declared(body: Mapping[str, Any], family: Family) -> Iterator[str]:
    tools = offered(body)
    if tools:
        yield as_declarations(tools) if family.declares else as_json(tools)
    schema = (body.get("response_format") or {}).get("json_schema")
    if schema:
        yield as_json(schema)


def _text(part: object) -> str | None:
    """Of a string, or a content part that is text."""
    if isinstance(part, Mapping):
        part = part.get(_TEXTS.get(str(part.get("type")), ""))
    return part if isinstance(part, str) else None


_MEDIA: Mapping[str, Callable[[object, str], int]] = {
    "image_url": image_tokens,
    "input_audio": lambda audio, _: audio_tokens(audio),
    "file": lambda file, _: file_tokens(file),
    "document_url": lambda document, _: file_tokens(document),
    "video_url": lambda _video, _model: VIDEO,
}
"""By the type of a content part, which is also the name of the member that holds it; the model comes second."""


def _media(part: object, model: str) -> int:
    if not isinstance(part, Mapping):
        return 0
    kind = str(part.get("type"))
    cost = _MEDIA.get(kind)
    return cost(part.get(kind), model) if cost is not None else 0


def _media_tokens(request: Request, model: str) -> int:
    return sum(_media(part, model) for part in parts(request.body.get("messages") or ()))


def _inputs(request: Request) -> Sequence[str | Sequence[int]]:
    """The prompts of a text completion, or what is to be embedded: each a text, or its tokens."""
    value = request.body["prompt" if isinstance(request, TextRequest) else "input"]
    return [value] if isinstance(value, str) or (value and isinstance(value[0], int)) else value


def _input_tokens(one: str | Sequence[int], family: Family) -> int:
    return _tokens_of([one], family.vocabulary) if isinstance(one, str) else len(one)


def _all_texts(request: Request) -> Iterator[str | Sequence[int]]:
    if not isinstance(request, ChatRequest):
        yield from _inputs(request)
        return
    messages = request.body["messages"]
    yield from (text for part in parts(messages) if (text := _text(part)) is not None)
    yield from _beside(messages)
    if tools := offered(request.body):
        yield as_json(tools)


def _bytes_of(text: str | Sequence[int]) -> int:
    return len(text) if not isinstance(text, str) or text.isascii() else len(text.encode(errors="surrogatepass"))
