"""One request for one target: how it is built, and how its answer is read.

The doors differ in what they ask and the codecs in how they are asked; the engine sees only these three methods. Text
completions go through chat where the provider has no such endpoint.
"""

from typing import Protocol

from clawgw.fact import fact
from clawgw.wire.codec import Codec, Completion, UpstreamRequest, WireTarget
from clawgw.wire.events import Event, StreamParser
from clawgw.wire.failure import WireError
from clawgw.wire.request import ChatRequest, EmbeddingsRequest, Request, TextRequest
from clawgw.wire.text import chat_from_text, text_from_completion, text_from_events

_ANY_EMBEDDING = EmbeddingsRequest({"model": "any", "input": "any"}, "any", base64=False)


class Operation(Protocol):
    """A request bound to a codec and a target."""

    def build(self) -> UpstreamRequest:
        """Raises `WireError` of kind UNSUPPORTED where the target cannot do what is asked."""

    def parse(self, body: bytes) -> Completion:
        """A whole 2xx body. Raises `WireError`."""

    def parser(self) -> StreamParser:
        """For the body of a 2xx stream."""


def operation(request: Request, codec: Codec, target: WireTarget, now: float) -> Operation:
    """`request` for `target`; `now` in Unix seconds."""
    match request:
        case ChatRequest():
            return _Chat(request, codec, target, now)
        case TextRequest() if codec.has_text:
            return _Text(request, codec, target)
        case TextRequest():
            return _TextThroughChat(request, codec, target, now)
    return _Embeddings(request, codec, target)


def missing_endpoint(endpoint: str, codec: Codec, target: WireTarget) -> str | None:
    """Why a target can be asked nothing at an endpoint; None: it can. Only embeddings may be lacking."""
    if endpoint != "embeddings":
        return None
    try:
        codec.build_embeddings(_ANY_EMBEDDING, target)
    except WireError as error:
        return error.failure.message
    return None


@fact
class _Chat:
    request: ChatRequest
    codec: Codec
    target: WireTarget
    now: float

    def build(self) -> UpstreamRequest:
        return self.codec.build_chat(self.request, self.target)

    def parse(self, body: bytes) -> Completion:
        return self.codec.parse_chat(body, self.request, self.target, self.now)

    def parser(self) -> StreamParser:
        return self.codec.chat_stream(self.request, self.target, self.now)


@fact
class _Text:
    request: TextRequest
    codec: Codec
    target: WireTarget

    def build(self) -> UpstreamRequest:
        return self.codec.build_text(self.request, self.target)

    def parse(self, body: bytes) -> Completion:
        return self.codec.parse_text(body, self.request, self.target)

    def parser(self) -> StreamParser:
        return self.codec.text_stream(self.request, self.target)


@fact
class _TextThroughChat:
    request: TextRequest
    codec: Codec
    target: WireTarget
    now: float

    def build(self) -> UpstreamRequest:
        return self.codec.build_chat(chat_from_text(self.request), self.target)

    def parse(self, body: bytes) -> Completion:
        chat = chat_from_text(self.request)
        return text_from_completion(self.codec.parse_chat(body, chat, self.target, self.now))

    def parser(self) -> StreamParser:
        return _TextFromChat(self.codec.chat_stream(chat_from_text(self.request), self.target, self.now))


@fact
class _TextFromChat:
    """A chat stream's events as those of a text completion."""

    chat: StreamParser

    def feed(self, data: bytes) -> list[Event]:
        return text_from_events(self.chat.feed(data))

    def finish(self) -> list[Event]:
        return text_from_events(self.chat.finish())


@fact
class _Embeddings:
    request: EmbeddingsRequest
    codec: Codec
    target: WireTarget

    def build(self) -> UpstreamRequest:
        return self.codec.build_embeddings(self.request, self.target)

    def parse(self, body: bytes) -> Completion:
        return self.codec.parse_embeddings(body, self.request, self.target)

    def parser(self) -> StreamParser:
        raise NotImplementedError
