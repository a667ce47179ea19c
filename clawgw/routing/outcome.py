"""From the failures of all attempts to the one error that the client sees (`reliability`, the table of faults)."""

from collections.abc import Sequence

from clawgw.errors import (
    BudgetExceeded,
    ContentPolicyViolation,
    GatewayError,
    InvalidRequest,
    LoopDetected,
    ModelNotFound,
    PriceUnknown,
    RateLimitExceeded,
    TokensOverLimit,
    Unavailable,
    UnsupportedEndpoint,
    UnsupportedFeature,
    UpstreamFailed,
    UpstreamQuotaExhausted,
    UpstreamRateLimited,
    UpstreamTimeout,
)
from clawgw.policy import Target
from clawgw.wire.failure import NEVER_SENT, Failure, Kind

Failures = Sequence[tuple[Target, Failure]]

CONNECT_TIMEOUT = "connect_timeout"
"""The `code` of a CONNECT failure that was a time-out."""

_TIMED_OUT = {Kind.TIMEOUT, Kind.IDLE}
_OVER_LIMIT = {Kind.OVER_LIMIT, Kind.KEY_OVER_LIMIT}
_REQUEST_ERRORS: dict[Kind, type[GatewayError]] = {
    Kind.BAD_REQUEST: InvalidRequest,
    Kind.CONTEXT_LENGTH: InvalidRequest,
    Kind.CONTENT_POLICY: ContentPolicyViolation,
    Kind.LOOP: LoopDetected,
}
_LACKS: dict[str | None, type[InvalidRequest]] = {
    error.code: error for error in (UnsupportedEndpoint, PriceUnknown, TokensOverLimit)
}
_UPSTREAM_CODES = {
    Kind.AUTH: "upstream_auth_failed",
    Kind.INVALID: "invalid_upstream_response",
    Kind.TOO_LARGE: "upstream_too_large",
}
_STREAM_CODES = {
    Kind.IDLE: "stream_idle_timeout",
    Kind.TIMEOUT: "upstream_timeout",
    Kind.TOO_LARGE: "upstream_too_large",
    Kind.INVALID: "invalid_upstream_response",
    Kind.RATE_LIMITED: "upstream_rate_limited",
    Kind.QUOTA: "upstream_quota_exhausted",
    Kind.CONTENT_POLICY: "content_policy_violation",
}


def final_error(failures: Failures) -> GatewayError:
    """The error for a request whose attempts all failed, in the order in which they did. There is at least one."""
    target, last = failures[-1]
    if last.kind in _REQUEST_ERRORS:
        return _request_error(target, last)
    asked = [(at, failure) for at, failure in failures if failure.kind not in NEVER_SENT]
    if asked:
        return _upstream_error(asked)
    if limited := [(at, failure) for at, failure in failures if failure.kind in _OVER_LIMIT]:
        spent = all(failure.code == BudgetExceeded.code for _, failure in limited)
        return (BudgetExceeded if spent else RateLimitExceeded)(_reasons(limited), retry_after_s=_hint(limited))
    closed = [(at, failure) for at, failure in failures if failure.kind is Kind.UNAVAILABLE]
    return Unavailable(_reasons(closed), retry_after_s=_hint(closed)) if closed else _unsupported(failures)


def _upstream_error(sent: Failures) -> GatewayError:
    kinds = {failure.kind for _, failure in sent}
    reasons = _reasons(sent)
    if kinds <= {Kind.RATE_LIMITED, Kind.QUOTA}:
        error = UpstreamQuotaExhausted if kinds == {Kind.QUOTA} else UpstreamRateLimited
        return error(reasons, retry_after_s=_hint(sent))
    if kinds == {Kind.MODEL_NOT_FOUND}:
        return ModelNotFound(reasons, param="model")
    if all(_timed_out(failure) for _, failure in sent):
        return UpstreamTimeout(reasons)
    return UpstreamFailed(reasons, code=_UPSTREAM_CODES.get(kinds.pop()) if len(kinds) == 1 else None)


def stream_error(target: Target, failure: Failure) -> GatewayError:
    """The error event for a stream that fails after its commit point."""
    return UpstreamFailed(_reason(target, failure), code=_STREAM_CODES.get(failure.kind, "stream_interrupted"))


def _request_error(target: Target, failure: Failure) -> GatewayError:
    code = "context_length_exceeded" if failure.kind is Kind.CONTEXT_LENGTH else failure.code
    error = _REQUEST_ERRORS[failure.kind]
    fixed = error.code is not None
    return error(f"{target}: {failure.message}", code=None if fixed else code, param=failure.param)


def _unsupported(failures: Failures) -> GatewayError:
    first = failures[0][1]
    error = _LACKS.get(first.code, UnsupportedFeature)
    return error("; ".join(dict.fromkeys(failure.message for _, failure in failures)), param=first.param)


def _timed_out(failure: Failure) -> bool:
    return failure.kind in _TIMED_OUT or failure.code == CONNECT_TIMEOUT


def _hint(failures: Failures) -> float | None:
    return min((failure.retry_after_s for _, failure in failures if failure.retry_after_s is not None), default=None)


def _reasons(failures: Failures) -> str:
    return "; ".join(_reason(target, failure) for target, failure in failures)


def _reason(target: Target, failure: Failure) -> str:
    """One attempt's end. Of a refused key nothing is quoted: the upstream's text may hold part of it."""
    said = f"HTTP {failure.status}" if failure.status is not None and failure.status >= 300 else failure.kind.value
    if failure.kind is Kind.AUTH:
        return f"{target}: {said}: the provider refuses the gateway's key"
    return f"{target}: {said}: {failure.message}"
