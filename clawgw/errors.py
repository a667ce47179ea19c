"""Every error a client can see, as one tree.

An error knows its HTTP status, OpenAI's `type` and `code`, whether the very same request may succeed if it is sent
again (`retryable`, False unless said), and how loudly it is logged. The body it becomes is OpenAI's:
`{"error": {"message", "type", "param", "code", "request_id"}}`. Messages never hold a secret.
"""

import logging
from collections.abc import Mapping
from typing import Any, ClassVar


class GatewayError(Exception):
    """The root. `retry_after_s` becomes `Retry-After` (whole seconds, rounded up, at least 1); `headers` go along."""

    status: ClassVar[int] = 500
    type: ClassVar[str] = "server_error"
    code: str | None = "internal_error"
    retryable: ClassVar[bool] = False
    log_level: ClassVar[int] = logging.INFO

    def __init__(
        self,
        message: str,
        *,
        code: str | None = None,
        param: str | None = None,
        retry_after_s: float | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.param = param
        self.retry_after_s = retry_after_s
        self.headers = headers or {}
        if code is not None:
            self.code = code

    def body(self, request_id: str) -> dict[str, Any]:
        """The error in OpenAI's shape, with our request id inside it."""
        return {
            "error": {
                "message": self.message,
                "type": self.type,
                "param": self.param,
                "code": self.code,
                "request_id": request_id,
            }
        }


class InternalError(GatewayError):
    """A bug of ours; the message says nothing about it, the log does."""

    log_level = logging.ERROR


class InvalidRequest(GatewayError):
    """400: the request itself is wrong; `param` names the field."""

    status = 400
    type = "invalid_request_error"
    code: str | None = None


class UnsupportedEndpoint(InvalidRequest):
    """400: no provider that could answer offers this endpoint."""

    code = "unsupported_endpoint"


class UnsupportedFeature(InvalidRequest):
    """400: no target can do what a field asks for; the message names the field and the providers."""

    code = "unsupported_parameter"


class TokensOverLimit(InvalidRequest):
    """400: the prompt alone is more than a limit on tokens could ever let through."""

    code = "tokens_over_limit"


class PriceUnknown(InvalidRequest):
    """400: a budget applies, and nobody knows what the model costs."""

    code = "price_unknown"


class ContentPolicyViolation(InvalidRequest):
    """400: the provider refuses the content."""

    code = "content_policy_violation"


class InvalidApiKey(GatewayError):
    """401: no key, or one that is not known, where one is required."""

    status = 401
    type = "invalid_request_error"
    code = "invalid_api_key"


class ModelNotAllowed(GatewayError):
    """403: the caller's key does not cover the model."""

    status = 403
    type = "invalid_request_error"
    code = "model_not_allowed"


class AdminKeyRequired(GatewayError):
    """403: only an admin's key opens this."""

    status = 403
    type = "invalid_request_error"
    code = "admin_key_required"


class ModelNotFound(GatewayError):
    """404: nothing claims the model name."""

    status = 404
    type = "invalid_request_error"
    code = "model_not_found"


class NotFound(GatewayError):
    """404: no such endpoint."""

    status = 404
    type = "invalid_request_error"
    code = "not_found"


class MethodNotAllowed(GatewayError):
    """405: the endpoint exists, the method does not."""

    status = 405
    type = "invalid_request_error"
    code = "method_not_allowed"


class RequestTimeout(GatewayError):
    """408: the client did not send its body in time."""

    status = 408
    type = "invalid_request_error"
    code = "request_timeout"
    retryable = True


class BodyTooLarge(GatewayError):
    """413: the body is over `server.max_body_bytes`."""

    status = 413
    type = "invalid_request_error"
    code = "request_too_large"


class UnsupportedEncoding(GatewayError):
    """415: the body is compressed or is not JSON; bodies are never decompressed."""

    status = 415
    type = "invalid_request_error"
    code = "unsupported_media_type"


class ClientClosed(GatewayError):
    """499: the client left before its answer was whole. Nobody reads this; the record does."""

    status = 499
    type = "client_closed_request"
    code = "client_closed_request"


class HeadTooLarge(GatewayError):
    """431: too many header fields, or too long ones."""

    status = 431
    type = "invalid_request_error"
    code = "request_head_too_large"


class RateLimitExceeded(GatewayError):
    """429: a limit of the configuration's is used up for now; the message names its scope and size."""

    status = 429
    type = "rate_limit_error"
    code = "rate_limit_exceeded"
    retryable = True


class BudgetExceeded(GatewayError):
    """429: the money for this hour, day or month is spent; sending it again is no use."""

    status = 429
    type = "insufficient_quota"
    code = "budget_exceeded"


class UpstreamRateLimited(GatewayError):
    """429: every target said it was asked too often."""

    status = 429
    type = "rate_limit_error"
    code = "upstream_rate_limited"
    log_level = logging.WARNING


class UpstreamQuotaExhausted(GatewayError):
    """429: the provider accounts have no credit or quota left."""

    status = 429
    type = "insufficient_quota"
    code = "upstream_quota_exhausted"
    log_level = logging.ERROR


class UpstreamFailed(GatewayError):
    """502: every attempt failed; `code` says how, where they all failed alike."""

    status = 502
    type = "upstream_error"
    code = "all_targets_failed"
    log_level = logging.WARNING


class UpstreamTimeout(UpstreamFailed):
    """504: every attempt timed out."""

    status = 504
    code = "upstream_timeout"


class Unavailable(GatewayError):
    """503: nothing can serve this at present."""

    status = 503
    type = "unavailable"
    code = "no_healthy_target"
    retryable = True
    log_level = logging.WARNING


class LogSpoolFull(Unavailable):
    """503: there is no room to write down what the request will come to, so it was not begun."""

    code = "log_spool_full"
    log_level = logging.ERROR


class LogUnreadable(Unavailable):
    """503: the database of the log cannot be read at present."""

    code = "log_unreadable"


class LoopDetected(GatewayError):
    """508: the request came through this gateway already."""

    status = 508
    type = "invalid_request_error"
    code = "loop_detected"
    log_level = logging.WARNING
