"""What may follow a failure, by its kind, and how long to wait before the same target is asked again.

Semantics: gRPC A6 (attempts and pushback), AWS "Exponential Backoff and Jitter" (full jitter).
"""

from attrs import frozen

from clawgw.config.tables.attempts import Retry
from clawgw.wire.failure import Failure, Kind

THROTTLED_BASE_S = 1.0
"""The backoff's base after a 429 without a hint."""


@frozen
class Rule:
    """Which ways on a failure leaves open. None of them: the request is over, whatever else is running."""

    other_key: bool = False
    """Another key of the same provider will do better: it is tried first."""
    other_target: bool = False
    spare_key: bool = False
    """Another key may do better than waiting: it is tried where no other target is left."""
    same_target: bool = False

    @property
    def final(self) -> bool:
        """The fault is the request's own."""
        return not (self.other_key or self.other_target or self.same_target)


_THE_REQUEST = Rule()
_THE_TARGET = Rule(other_target=True)
_THE_KEY = Rule(other_key=True, other_target=True)
_THE_MOMENT = Rule(other_target=True, same_target=True)

RULES: dict[Kind, Rule] = {
    Kind.BAD_REQUEST: _THE_REQUEST,
    Kind.CONTEXT_LENGTH: _THE_REQUEST,
    Kind.CONTENT_POLICY: _THE_REQUEST,
    Kind.LOOP: _THE_REQUEST,
    Kind.MODEL_NOT_FOUND: _THE_TARGET,
    Kind.UNSUPPORTED: _THE_TARGET,
    Kind.UNAVAILABLE: _THE_TARGET,
    Kind.OVER_LIMIT: _THE_TARGET,
    Kind.KEY_OVER_LIMIT: _THE_KEY,
    Kind.TOO_LARGE: _THE_TARGET,
    Kind.AUTH: _THE_KEY,
    Kind.QUOTA: _THE_KEY,
    Kind.RATE_LIMITED: Rule(other_target=True, spare_key=True, same_target=True),
    Kind.SERVER: _THE_MOMENT,
    Kind.CONNECT: _THE_MOMENT,
    Kind.TIMEOUT: _THE_MOMENT,
    Kind.RESET: _THE_MOMENT,
    Kind.INVALID: _THE_MOMENT,
    Kind.IDLE: _THE_MOMENT,
}


def backoff_s(failure: Failure, nth: int, retry: Retry, random: float) -> float:
    """Seconds before the `nth` (from 0) retry on one target: full jitter, and at least the upstream's hint.

    `random` is in [0, 1).
    """
    base = THROTTLED_BASE_S if failure.kind is Kind.RATE_LIMITED else retry.base_s
    jitter = random * min(base * 2.0**nth, max(retry.cap_s, base))
    return max(jitter, failure.retry_after_s or 0.0)
