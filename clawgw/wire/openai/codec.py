"""The codec of every OpenAI-shaped provider; `dialects` has what tells them apart."""

from collections.abc import Mapping

import orjson
from attrs import frozen

from clawgw.wire import embeddings
from clawgw.wire.codec import Completion, UpstreamRequest, WireTarget
from clawgw.wire.events import StreamParser
from clawgw.wire.failure import Failure, Kind, WireError
from clawgw.wire.openai import answer, errors
from clawgw.wire.openai.choices import ChatChoices, TextChoices
from clawgw.wire.openai.dialects import Dialect
from clawgw.wire.openai.request import build_chat
from clawgw.wire.openai.stream import OpenAIStream
from clawgw.wire.request import ChatRequest, EmbeddingsRequest, TextRequest


@frozen
class OpenAICodec:
    """A `codec.Codec` for one dialect; methods are as documented there."""

    dialect: Dialect

    @property
    def name(self) -> str:
        """The wire format's name in the configuration."""
        return self.dialect.name

    @property
    def has_text(self) -> bool:
        """See `codec.Codec`."""
        return self.dialect.has_text

    def auth_headers(self, key: str) -> Mapping[str, str]:
        """See `codec.Codec`."""
        return {"authorization": f"Bearer {key}"}

    def build_chat(self, request: ChatRequest, target: WireTarget) -> UpstreamRequest:
        """See `request.build_chat`."""
        return build_chat(request, target, self.dialect)

    def parse_chat(self, body: bytes, request: ChatRequest, target: WireTarget, now: float) -> Completion:  # noqa: ARG002 - the protocol's
        """See `codec.Codec`."""
        return answer.parse_chat(body, target, now)

    def chat_stream(self, request: ChatRequest, target: WireTarget, now: float) -> StreamParser:  # noqa: ARG002 - the protocol's
        """See `codec.Codec`."""
        return OpenAIStream(ChatChoices(), target, now)

    def build_embeddings(self, request: EmbeddingsRequest, target: WireTarget) -> UpstreamRequest:
        """See `embeddings.build_embeddings`."""
        return embeddings.build_embeddings(request, target, self.dialect)

    def parse_embeddings(self, body: bytes, request: EmbeddingsRequest, target: WireTarget) -> Completion:
        """See `codec.Codec`."""
        return embeddings.parse_embeddings(body, request, target)

    def build_text(self, request: TextRequest, target: WireTarget) -> UpstreamRequest:
        """The caller's body under the target's name of the model, with usage asked for in streams."""
        if not self.has_text:
            message = f"{target.provider} has no text completions."
            raise WireError(Failure(Kind.UNSUPPORTED, message, code="unsupported_endpoint"))
        body = {**request.body, "model": target.model}
        if request.stream:
            body["stream_options"] = {**(body.get("stream_options") or {}), "include_usage": True}
        return UpstreamRequest("/completions", orjson.dumps(body))

    def parse_text(self, body: bytes, request: TextRequest, target: WireTarget) -> Completion:  # noqa: ARG002 - the protocol's
        """See `codec.Codec`."""
        return answer.parse_text(body, target)

    def text_stream(self, request: TextRequest, target: WireTarget) -> StreamParser:  # noqa: ARG002 - the protocol's
        """See `codec.Codec`."""
        return OpenAIStream(TextChoices(), target)

    def parse_error(self, status: int, headers: Mapping[str, str], body: bytes, now: float) -> Failure:
        """See `errors.parse_error`."""
        return errors.parse_error(status, headers, body, now)
