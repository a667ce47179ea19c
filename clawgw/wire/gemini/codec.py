"""Google's Gemini API: `generateContent`, `streamGenerateContent` and `batchEmbedContents`.

Theory of operation. A chat goes out through `request`, which asks `contents` for the turns,
`tools` for the tools and `models` for what the model takes. An answer comes in as objects that
`answer` reads, one `candidate` for each choice; `response` and `stream` turn what they add
into a completion or chunks. Errors are `errors`'. The base URL ends in `/v1beta`, the key goes into
`x-goog-api-key`. Google has no text completions; they go through chat.
Source: https://ai.google.dev/api.
"""

from collections.abc import Mapping
from typing import NoReturn

from clawgw.wire.codec import Completion, UpstreamRequest, WireTarget
from clawgw.wire.events import StreamParser
from clawgw.wire.failure import Failure, Kind, WireError
from clawgw.wire.gemini import embeddings, errors, response
from clawgw.wire.gemini.request import build_chat
from clawgw.wire.gemini.stream import GeminiStream
from clawgw.wire.request import ChatRequest, EmbeddingsRequest


class GeminiCodec:
    """A `Codec`."""

    name = "gemini"
    has_text = False

    def auth_headers(self, key: str) -> Mapping[str, str]:
        """https://ai.google.dev/api#authentication."""
        return {"x-goog-api-key": key}

    def build_chat(self, request: ChatRequest, target: WireTarget) -> UpstreamRequest:
        """A path below the base URL and its body. Raises `WireError` of kind UNSUPPORTED."""
        return build_chat(request, target)

    def parse_chat(self, body: bytes, _request: ChatRequest, target: WireTarget, now: float) -> Completion:
        """A whole 2xx body. Raises `WireError`."""
        return response.parse_chat(body, target, now)

    def chat_stream(self, _request: ChatRequest, target: WireTarget, now: float) -> StreamParser:
        """For the body of a 2xx stream."""
        return GeminiStream(target, now)

    def build_embeddings(self, request: EmbeddingsRequest, target: WireTarget) -> UpstreamRequest:
        """Raises `WireError` of kind UNSUPPORTED for token arrays."""
        return embeddings.build_embeddings(request, target)

    def parse_embeddings(self, body: bytes, request: EmbeddingsRequest, target: WireTarget) -> Completion:
        """A whole 2xx body. Raises `WireError`."""
        return embeddings.parse_embeddings(body, request, target)

    def _refuse_text(self, *_args: object, **_named: object) -> NoReturn:
        raise WireError(Failure(Kind.UNSUPPORTED, "Gemini has no text completions.", code="unsupported_endpoint"))

    build_text = parse_text = text_stream = _refuse_text

    def parse_error(self, status: int, headers: Mapping[str, str], body: bytes, now: float) -> Failure:
        """An answer that is not 2xx."""
        return errors.parse_error(status, headers, body, now)
