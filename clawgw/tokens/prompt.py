"""A request's prompt, counted: once for each model that is asked about, and not at all where nobody asks."""

from collections.abc import Sequence
from typing import Any, Literal

from attrs import define, field

from clawgw.fact import fact
from clawgw.tokens.content import Content, Input, bytes_of, content_of, inputs
from clawgw.tokens.families import Family, family_of
from clawgw.tokens.media import media_tokens
from clawgw.tokens.tools import as_declarations, as_json, offered
from clawgw.tokens.vocabulary import Vocabulary, count_text
from clawgw.wire.request import ChatRequest, EmbeddingsRequest, Request, TextRequest

LARGE = 20_000
"""Bytes of text above which counting takes long enough (0.5 ms) to be worth a thread."""
MOST_COUNTED = 4_000_000
"""Characters that are counted, for 0.2 s mostly, 3 s at worst; what comes after them is taken to be like them."""
BYTES_PER_TOKEN = 4
"""Of English text, and about so of Chinese: for what must be cheap."""
CALL = 8
"""What a past tool call costs beside its name and its arguments."""
_COSTLY = frozenset({"prediction", "web_search_options"})
"""Fields of a chat request that cost tokens of the prompt, nobody says how many."""

Exactness = Literal["exact", "estimated"]


@fact
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
        return self if self.kind == "exact" else Count(round(self.tokens * ratio), self.kind, self.surely)


@define(eq=False)
class Prompt:
    """The prompt of one request, taken apart once. A thread may run `count`."""

    request: Request = field(repr=False)
    content: Content = field(init=False, repr=False)
    """What its messages hold; nothing, where it has none."""
    tools: Sequence[Any] = field(init=False, repr=False)
    bytes: int = field(init=False)
    """The UTF-8 bytes of its texts. It has no more tokens of text than these, for a token is at least a byte."""
    _counts: dict[str, Count] = field(init=False, factory=dict, repr=False)

    def __attrs_post_init__(self) -> None:
        request = self.request
        if isinstance(request, ChatRequest):
            self.content, self.tools = content_of(request.body["messages"]), offered(request.body)
            self.bytes = bytes_of(self._texts())
        else:
            self.content, self.tools = Content(), ()
            self.bytes = bytes_of(inputs(request))

    def _texts(self) -> Sequence[Input]:
        texts = self.content.texts + self.content.beside
        return [*texts, as_json(self.tools)] if self.tools else texts

    def known(self, model: str) -> Count | None:
        """The count for a model, if it was made."""
        return self._counts.get(model)

    def count(self, model: str) -> Count:
        """In tokens of a model, under its provider's name of it."""
        if model not in self._counts:
            self._counts[model] = self._count(model)
        return self._counts[model]

    def rough(self, model: str) -> int:
        """What is cheap to tell: what was counted already, for whichever model; this one's, if it is short; the bytes.

        `model` is one that may be asked, so that what is counted here need not be counted again.
        """
        if self._counts:
            return next(iter(self._counts.values())).tokens
        if self.bytes <= LARGE:
            return self.count(model).tokens
        return self.bytes // BYTES_PER_TOKEN + self._media_tokens(model)

    def _count(self, model: str) -> Count:
        request, family = self.request, family_of(model)
        return self._count_chat(family, model) if isinstance(request, ChatRequest) else _count_inputs(request, family)

    def _count_chat(self, family: Family, model: str) -> Count:
        content = self.content
        said, around = _tokens_of(content.texts, family.vocabulary), self._around(family)
        told = said + _tokens_of(around, family.vocabulary) if around else said
        media = self._media_tokens(model) if content.media else 0
        exact = family.exact and not around and not media and _COSTLY.isdisjoint(self.request.body)
        surely = said if family.exact else _surely(sum(map(len, content.texts)), said)
        framing = _framing(content, family) + (family.tools if self.tools else 0)
        return Count(round(told * family.ratio) + framing + media, "exact" if exact else "estimated", surely)

    def _around(self, family: Family) -> list[str]:
        """What else becomes text: names and calls, tools, the schema of the answer."""
        around, response_format = self.content.beside, self.request.body.get("response_format")
        if self.tools:
            around = [*around, as_declarations(self.tools) if family.declares else as_json(self.tools)]
        if response_format and (schema := response_format.get("json_schema")):
            around = [*around, as_json(schema)]
        return around

    def _media_tokens(self, model: str) -> int:
        return sum([media_tokens(part, model) for part in self.content.media])


def _count_inputs(request: TextRequest | EmbeddingsRequest, family: Family) -> Count:
    counted = [(len(one), _input_tokens(one, family)) for one in inputs(request)]
    return Count(
        round(sum(tokens for _, tokens in counted) * family.ratio),
        "exact" if family.exact else "estimated",
        max((tokens if family.exact else _surely(length, tokens) for length, tokens in counted), default=0),
    )


def _input_tokens(one: Input, family: Family) -> int:
    return _tokens_of([one], family.vocabulary) if isinstance(one, str) else len(one)


def _framing(content: Content, family: Family) -> int:
    told = (content.messages - content.answers) * family.message + content.answers * family.assistant
    return family.always + told + content.names + content.calls * CALL


def _tokens_of(texts: Sequence[str], vocabulary: Vocabulary) -> int:
    tokens, left = 0, MOST_COUNTED
    for text in texts:
        tokens += count_text(text[:left], vocabulary)
        left -= len(text)
        if left < 0:
            return tokens * sum(map(len, texts)) // MOST_COUNTED
    return tokens


def _surely(characters: int, tokens: int) -> int:
    """Of another vocabulary than the one counted with: half of that count, and of a token for two characters."""
    return min(tokens, characters // 2) // 2
