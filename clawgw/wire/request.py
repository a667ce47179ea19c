"""Requests as they travel through the gateway: a few typed facts about each, and the caller's own dict beside them.

The dict is what the client sent, checked but never changed, so fields nobody here knows survive on their way to an
upstream of the same dialect. `wire.checks.parse` makes these from a client's bytes, `wire.text` a chat request from a
text request; nothing else does.
"""

from typing import Any, ClassVar

from clawgw.fact import fact


@fact
class ChatRequest:
    """POST /v1/chat/completions, checked: every known field of `body` has its JSON type and is in its range."""

    body: dict[str, Any]
    model: str
    stream: bool
    include_usage: bool
    """The client asked for the usage chunk (`stream_options.include_usage`)."""

    @property
    def max_tokens(self) -> int | None:
        """The longest answer it wants, by the newer name of that or the older one."""
        longest: int | None = self.body.get("max_completion_tokens") or self.body.get("max_tokens")
        return longest


@fact
class TextRequest:
    """POST /v1/completions, checked."""

    body: dict[str, Any]
    model: str
    stream: bool
    include_usage: bool

    @property
    def max_tokens(self) -> int | None:
        """The longest answer it wants; may be 0."""
        longest: int | None = self.body.get("max_tokens")
        return longest


@fact
class EmbeddingsRequest:
    """POST /v1/embeddings, checked."""

    body: dict[str, Any]
    model: str
    base64: bool
    """The client asked for `encoding_format: base64` (little-endian float32)."""
    stream: ClassVar[bool] = False
    include_usage: ClassVar[bool] = False
    max_tokens: ClassVar[None] = None


Request = ChatRequest | TextRequest | EmbeddingsRequest
