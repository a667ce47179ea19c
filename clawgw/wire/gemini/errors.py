"""What Google's errors mean: `{"error": {"code", "message", "status", "details"}}`, also inside an array or a stream.

The status is a `google.rpc.Code`, the details are typed: `ErrorInfo` (a reason), `QuotaFailure` (which quota),
`RetryInfo` (when again). What Google says in words only is told by its wording, case by case.
Sources: https://ai.google.dev/gemini-api/docs/troubleshooting, https://google.aip.dev/193.
"""

import re
from collections.abc import Mapping
from typing import Any

import orjson

from clawgw.wire.failure import Failure, Kind
from clawgw.wire.hints import duration_s, retry_after_s
from clawgw.wire.json_body import get_count, get_object, get_objects, get_text

_MAX_MESSAGE = 1000

_STATUSES = {
    "INVALID_ARGUMENT": 400,
    "FAILED_PRECONDITION": 400,
    "OUT_OF_RANGE": 400,
    "UNAUTHENTICATED": 401,
    "PERMISSION_DENIED": 403,
    "NOT_FOUND": 404,
    "ABORTED": 409,
    "RESOURCE_EXHAUSTED": 429,
    "UNAVAILABLE": 503,
    "DEADLINE_EXCEEDED": 504,
}
"""HTTP statuses by `google.rpc.Code`, for an error in a stream that names only the latter; else 500."""

_KINDS = {
    401: Kind.AUTH,
    402: Kind.QUOTA,
    403: Kind.AUTH,
    404: Kind.MODEL_NOT_FOUND,
    408: Kind.SERVER,
    409: Kind.SERVER,
    429: Kind.RATE_LIMITED,
}

_WORDINGS = tuple(
    (frozenset(statuses), re.compile(wording, re.IGNORECASE), kind)
    for statuses, wording, kind in (
        ((400,), r"API_KEY_(INVALID|EXPIRED|SERVICE_BLOCKED)|api key (not valid|expired)", Kind.AUTH),
        ((400,), r"location is not supported|not available in your country|enable billing", Kind.AUTH),
        ((400,), r"exceeds the maximum number of|token count .*(exceeds|only supports up to)", Kind.CONTEXT_LENGTH),
        # A file or a cache that is not there, or somebody else's: the request's fault, not the key's.
        ((403, 404), r"(CachedContent|\bfiles?\b).*(not found|not exist|permission)", Kind.BAD_REQUEST),
        ((403, 404), r"permission to access the (File|CachedContent)", Kind.BAD_REQUEST),
        ((429,), r"PerDay|\bcredits?\b|spending (cap|limit)|spend (cap|limit)", Kind.QUOTA),
    )
)
"""Told from the message and the details together, for these statuses."""


def parse_error(status: int, headers: Mapping[str, str], body: bytes, now: float) -> Failure:
    """An answer that is not 2xx; `now` in Unix seconds."""
    try:
        answer = orjson.loads(body)
    except orjson.JSONDecodeError:
        answer = None
    if isinstance(answer, list) and answer:
        answer = answer[0]
    error = get_object(answer, "error") if isinstance(answer, dict) else {}
    return _failure(error, status, retry_after_s(headers, now))


def failure_from_error(error: dict[str, Any]) -> Failure:
    """The `error` object that came where an answer was expected."""
    code = get_count(error, "code")
    status = code if 400 <= code < 600 else _STATUSES.get(get_text(error, "status"), 500)
    return _failure(error, status, None)


def _failure(error: dict[str, Any], status: int, header_hint_s: float | None) -> Failure:
    message = get_text(error, "message") or f"The upstream answered HTTP {status} and did not say why."
    return Failure(
        _kind(error, status),
        message[:_MAX_MESSAGE],
        status=status,
        code=get_text(error, "status")[:64].lower() or None,
        retry_after_s=_retry_delay_s(error) if header_hint_s is None else header_hint_s,
    )


def _kind(error: dict[str, Any], status: int) -> Kind:
    said = " ".join((get_text(error, "message"), *_details(error)))
    for statuses, wording, kind in _WORDINGS:
        if status in statuses and wording.search(said):
            return kind
    if status >= 500:
        return Kind.SERVER
    return _KINDS.get(status) or (Kind.BAD_REQUEST if status >= 400 else Kind.INVALID)


def _details(error: dict[str, Any]) -> list[str]:
    """Reasons, quota ids and debug texts."""
    details = get_objects(error, "details")
    quotas = [get_text(quota, "quotaId") for detail in details for quota in get_objects(detail, "violations")]
    return [get_text(detail, key) for detail in details for key in ("reason", "detail")] + quotas


def _retry_delay_s(error: dict[str, Any]) -> float | None:
    delays = (duration_s(get_text(detail, "retryDelay")) for detail in get_objects(error, "details"))
    return next((delay for delay in delays if delay is not None), None)
