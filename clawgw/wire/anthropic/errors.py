"""What went wrong at an Anthropic-shaped upstream, or cannot be asked of one.

Errors are `{"type": "error", "error": {"type", "message", "details"}, "request_id"}`, as the body of an answer that is
not 2xx and as an event in a stream: https://platform.claude.com/docs/en/api/errors. The body decides before the status
does, because a spend limit comes as 400 or as 429.
"""

from collections.abc import Mapping
from typing import Any

from clawgw.wire.failure import Failure, Kind, WireError
from clawgw.wire.hints import retry_after_s
from clawgw.wire.json_body import decode_json_object, get_object, get_text

_MAX_MESSAGE = 1000
_SPEND_LIMIT = "enforced_spend_limit_reached"

_PHRASES = (
    ("prompt is too long", Kind.CONTEXT_LENGTH),
    ("exceed context limit", Kind.CONTEXT_LENGTH),
    ("credit balance is too low", Kind.QUOTA),
    ("you have reached your specified", Kind.QUOTA),
    ("organization has been disabled", Kind.AUTH),
    ("content filtering policy", Kind.CONTENT_POLICY),
)
"""What the message of an `invalid_request_error` says where it is not simply about the request."""

_KINDS = {
    "invalid_request_error": Kind.BAD_REQUEST,
    "request_too_large": Kind.BAD_REQUEST,
    "authentication_error": Kind.AUTH,
    "permission_error": Kind.AUTH,
    "billing_error": Kind.QUOTA,
    "not_found_error": Kind.MODEL_NOT_FOUND,
    "rate_limit_error": Kind.RATE_LIMITED,
    "conflict_error": Kind.SERVER,
    "api_error": Kind.SERVER,
    "timeout_error": Kind.SERVER,
    "overloaded_error": Kind.SERVER,
}
_KINDS_BY_STATUS = {
    401: Kind.AUTH,
    402: Kind.QUOTA,
    403: Kind.AUTH,
    404: Kind.MODEL_NOT_FOUND,
    408: Kind.SERVER,
    409: Kind.SERVER,
    429: Kind.RATE_LIMITED,
}
_RESETS_FOR = {
    f"anthropic-ratelimit-{bucket}-remaining": f"anthropic-ratelimit-{bucket}-reset"
    for bucket in ("requests", "tokens", "input-tokens", "output-tokens")
}
"""https://platform.claude.com/docs/en/api/rate-limits#response-headers"""


def unsupported(param: str, message: str) -> WireError:
    """The target cannot do what the field `param` asks."""
    return WireError(Failure(Kind.UNSUPPORTED, message, code="unsupported_parameter", param=param))


def failure_from_response(status: int, headers: Mapping[str, str], body: bytes, now: float) -> Failure:
    """Any answer that is not 2xx; `now` in Unix seconds."""
    try:
        answer = decode_json_object(body)
    except WireError:
        answer = {}
    error = get_object(answer, "error")
    kind = _kind(error) or _KINDS_BY_STATUS.get(status) or (Kind.BAD_REQUEST if status < 500 else Kind.SERVER)
    hint = retry_after_s(headers, now, _RESETS_FOR) if kind in (Kind.RATE_LIMITED, Kind.SERVER) else None
    message = get_text(error, "message") or f"The upstream answered HTTP {status} and did not say why."
    return Failure(kind, message[:_MAX_MESSAGE], status=status, retry_after_s=hint)


def is_error(answer: dict[str, Any]) -> bool:
    """Whether an object is an error where an event or a message was expected."""
    return answer.get("type") == "error" or bool(get_object(answer, "error"))


def failure_from_event(event: dict[str, Any]) -> Failure:
    """An `error` event, or an error body where an answer was expected."""
    error = get_object(event, "error")
    message = get_text(error, "message") or "The upstream reported an error and did not say which."
    return Failure(_kind(error) or Kind.SERVER, message[:_MAX_MESSAGE])


def _kind(error: dict[str, Any]) -> Kind | None:
    if get_text(get_object(error, "details"), "error_code") == _SPEND_LIMIT:
        return Kind.QUOTA
    kind = _KINDS.get(get_text(error, "type"))
    if kind is not Kind.BAD_REQUEST:
        return kind
    message = get_text(error, "message").lower()
    return next((meant for phrase, meant in _PHRASES if phrase in message), kind)
