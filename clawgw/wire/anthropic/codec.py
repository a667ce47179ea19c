"""The Messages wire format (Anthropic), seen from OpenAI's chat: https://platform.claude.com/docs/en/api/messages/create.

Theory of operation. `request` fills an `draft` with what `_messages`, `_parts`, `_tools` and
`_thinking` make of the request. `response` reads whole answers, `stream` with `_blocks` streams,
`errors` failures. `replay` is what an answer and the request after it must agree on,
`models` what differs between models. The base URL ends in `/v1`.
"""
# ruff: noqa: ARG002 - the parameters are the protocol's; an answer says all that the request could

from collections.abc import Mapping
from typing import NoReturn

from clawgw.wire.anthropic.errors import failure_from_response
from clawgw.wire.anthropic.request import build_request
from clawgw.wire.anthropic.response import completion_from
from clawgw.wire.anthropic.stream import AnthropicStream
from clawgw.wire.codec import Completion, UpstreamRequest, WireTarget
from clawgw.wire.events import StreamParser
from clawgw.wire.failure import Failure, Kind, WireError
from clawgw.wire.request import ChatRequest, EmbeddingsRequest, TextRequest


class AnthropicCodec:
    """A `Codec`. Anthropic has neither embeddings nor text completions; the latter go through chat."""

    name = "anthropic"
    has_text = False

    def auth_headers(self, key: str) -> Mapping[str, str]:
        """https://platform.claude.com/docs/en/api/overview#authentication."""
        return {"x-api-key": key}

    def build_chat(self, request: ChatRequest, target: WireTarget) -> UpstreamRequest:
        """Raises `WireError` of kind UNSUPPORTED."""
        return build_request(request, target)

    def parse_chat(self, body: bytes, request: ChatRequest, target: WireTarget, now: float) -> Completion:
        """A whole 2xx body. Raises `WireError`."""
        return completion_from(body, target.model, now)

    def chat_stream(self, request: ChatRequest, target: WireTarget, now: float) -> StreamParser:
        """For the body of a 2xx stream."""
        return AnthropicStream(target, now)

    def parse_error(self, status: int, headers: Mapping[str, str], body: bytes, now: float) -> Failure:
        """An answer that is not 2xx."""
        return failure_from_response(status, headers, body, now)

    def build_embeddings(self, request: EmbeddingsRequest, target: WireTarget) -> NoReturn:
        """Raises `WireError`: there is no such endpoint."""
        raise _no_endpoint("embeddings")

    def parse_embeddings(self, body: bytes, request: EmbeddingsRequest, target: WireTarget) -> NoReturn:
        """Raises `WireError`: there is no such endpoint."""
        raise _no_endpoint("embeddings")

    def build_text(self, request: TextRequest, target: WireTarget) -> NoReturn:
        """Raises `WireError`: there is no such endpoint."""
        raise _no_endpoint("completions")

    def parse_text(self, body: bytes, request: TextRequest, target: WireTarget) -> NoReturn:
        """Raises `WireError`: there is no such endpoint."""
        raise _no_endpoint("completions")

    def text_stream(self, request: TextRequest, target: WireTarget) -> NoReturn:
        """Raises `WireError`: there is no such endpoint."""
        raise _no_endpoint("completions")


def _no_endpoint(endpoint: str) -> WireError:
    return WireError(Failure(Kind.UNSUPPORTED, f"Anthropic has no /{endpoint}.", code="unsupported_endpoint"))
