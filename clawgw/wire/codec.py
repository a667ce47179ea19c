"""What a wire format is: a `Codec`, with what is handed to it and what it hands out.

A codec turns a checked request of ours into the bytes an upstream wants, and the bytes it answers with into OpenAI's
own shapes: a `Completion`, or the `events` of a stream.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from attrs import field, frozen

from clawgw.fact import fact
from clawgw.wire.events import StreamParser
from clawgw.wire.failure import Failure
from clawgw.wire.request import ChatRequest, EmbeddingsRequest, TextRequest
from clawgw.wire.usage import Usage


@fact
class Completion:
    """A whole answer in OpenAI's shape (`chat.completion`, `text_completion` or an embeddings `list`)."""

    body: dict[str, Any]
    usage: Usage | None
    finish_reason: str | None = None


@frozen
class WireTarget:
    """As much of a target as a codec needs."""

    provider: str
    """The provider's name in the configuration, for messages."""
    model: str
    """The upstream's own name of the model."""
    api_version: str | None = None
    default_temperature: float | None = None
    default_max_tokens: int | None = None


@fact
class UpstreamRequest:
    """What is to be sent: a POST of JSON to the provider's base URL + `path`, with these headers and those of the key.

    `dropped` names the request's hints that this target cannot take (top-level field names, sorted).
    """

    path: str
    body: bytes
    headers: Mapping[str, str] = field(factory=dict)
    dropped: Sequence[str] = ()


class Codec(Protocol):
    """One wire format, both directions. The `build_` methods raise `WireError` of kind UNSUPPORTED (with `param`)."""

    @property
    def name(self) -> str:
        """What the configuration calls it."""

    def auth_headers(self, key: str) -> Mapping[str, str]:
        """The header that carries the provider's key."""

    def build_chat(self, request: ChatRequest, target: WireTarget) -> UpstreamRequest:
        """A chat request in the upstream's words."""

    def parse_chat(self, body: bytes, request: ChatRequest, target: WireTarget, now: float) -> Completion:
        """A 2xx body. `now` (Unix seconds) is `created` where the upstream says none."""

    def chat_stream(self, request: ChatRequest, target: WireTarget, now: float) -> StreamParser:
        """For the body of a 2xx chat stream; `now` as for `parse_chat`."""

    def build_embeddings(self, request: EmbeddingsRequest, target: WireTarget) -> UpstreamRequest:
        """UNSUPPORTED with code "unsupported_endpoint" where the provider embeds nothing."""

    def parse_embeddings(self, body: bytes, request: EmbeddingsRequest, target: WireTarget) -> Completion:
        """A 2xx body, as OpenAI's embeddings list, its vectors encoded as the client asked."""

    @property
    def has_text(self) -> bool:
        """Whether `/completions` is the provider's own; elsewhere it goes through chat (`wire.text`)."""

    def build_text(self, request: TextRequest, target: WireTarget) -> UpstreamRequest:
        """A text completion, where `has_text`."""

    def parse_text(self, body: bytes, request: TextRequest, target: WireTarget) -> Completion:
        """A 2xx body."""

    def text_stream(self, request: TextRequest, target: WireTarget) -> StreamParser:
        """For the body of a 2xx text stream."""

    def parse_error(self, status: int, headers: Mapping[str, str], body: bytes, now: float) -> Failure:
        """Any answer that is not 2xx. Header names are lower case. `now` is for hints that are dates."""
