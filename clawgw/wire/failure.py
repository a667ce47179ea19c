"""What goes wrong upstream: a `Failure` of one `Kind`, raised in `WireError` or the last event of a stream."""

from enum import Enum

from attrs import frozen


class Kind(Enum):
    """What went wrong upstream, as far as anything is decided by it (`routing.retry` decides)."""

    BAD_REQUEST = "bad_request"
    """400, 413, 422 about the request itself: the client's fault, never retried."""
    CONTEXT_LENGTH = "context_length"
    """The prompt is too long for the model: 400 `context_length_exceeded`, never retried."""
    CONTENT_POLICY = "content_policy"
    """The content was refused (moderation): 400, never retried."""
    MODEL_NOT_FOUND = "model_not_found"
    AUTH = "auth"
    """401, or a 403 or 400 about the key or the account: the key is set aside."""
    QUOTA = "quota"
    """No credit, spend limit, daily quota: the key is set aside, waiting does not help."""
    RATE_LIMITED = "rate_limited"
    """429 or 498: asked too often, waiting helps."""
    SERVER = "server"
    """5xx, 408, 409, 524, 529, overloaded: the provider's fault."""
    CONNECT = "connect"
    """No connection: refused, DNS, TLS, connect timeout, forbidden address."""
    TIMEOUT = "timeout"
    """No answer in time."""
    RESET = "reset"
    """The connection broke, or ended before the answer was whole."""
    INVALID = "invalid"
    """An answer that is not what the format says: HTML, broken JSON, a missing part."""
    TOO_LARGE = "too_large"
    """A line, event or body over its cap."""
    IDLE = "idle"
    """A stream that stalled between two chunks."""
    LOOP = "loop"
    """The upstream is this gateway."""
    UNSUPPORTED = "unsupported"
    """The target cannot do what the request asks; nothing was sent."""
    UNAVAILABLE = "unavailable"
    """The target's breaker is open; nothing was sent."""
    OVER_LIMIT = "over_limit"
    """A limit or budget that the configuration sets for the provider is used up; nothing was sent."""
    KEY_OVER_LIMIT = "key_over_limit"
    """One that it sets for each key of the provider's pool; nothing was sent."""


NEVER_SENT = frozenset({Kind.UNSUPPORTED, Kind.UNAVAILABLE, Kind.OVER_LIMIT, Kind.KEY_OVER_LIMIT})


@frozen
class Failure:
    """One attempt's end without an answer.

    `message` is safe to show: parsers cut it to 1000 characters and the engine redacts the keys in it. `status` is the
    upstream's HTTP status if it sent one. `retry_after_s` is the upstream's own hint. `held_back`: the gateway obeys an
    earlier failure, nothing was sent this time.
    """

    kind: Kind
    message: str
    status: int | None = None
    code: str | None = None
    param: str | None = None
    retry_after_s: float | None = None
    held_back: bool = False

    @property
    def sent(self) -> bool:
        """Whether anything was sent, so that this was an attempt."""
        return not self.held_back and self.kind not in NEVER_SENT


class WireError(Exception):
    """The only exception of this package that an upstream's bytes, or a target's limits, can raise."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure.message)
        self.failure = failure
