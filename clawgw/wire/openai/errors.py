"""What an OpenAI-shaped upstream's error means: a `Failure` of one kind, told by the body before the status.

The same status means different things: 429 may be "slow down" or "no credit", 403 a bad key, an empty account or a
refused prompt. So codes come first, then what messages are known to say, then the status.
Sources: https://platform.openai.com/docs/guides/error-codes, https://console.groq.com/docs/errors,
https://docs.mistral.ai/api/ (422), https://openrouter.ai/docs/api/reference/errors-and-debugging,
https://platform.moonshot.ai/docs/api/errors, https://learn.microsoft.com/azure/ai-foundry/openai/ (content filter).
"""

import re
from collections.abc import Mapping
from typing import Any

from clawgw.wire.failure import Failure, Kind, WireError
from clawgw.wire.hints import retry_after_s
from clawgw.wire.json_body import decode_json, get_object, get_objects, get_text

_MESSAGE_CHARS = 1000
_CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f]+")

_KIND_OF_CODE = {
    "loop_detected": Kind.LOOP,
    # No credit or a spend limit.
    "insufficient_quota": Kind.QUOTA,
    "credit_balance_exhausted": Kind.QUOTA,
    "organization_spend_limit_exceeded": Kind.QUOTA,
    "project_spend_limit_exceeded": Kind.QUOTA,
    "organization_usage_limit_exceeded": Kind.QUOTA,
    "billing_hard_limit_reached": Kind.QUOTA,
    "billing_not_active": Kind.QUOTA,
    "exceeded_current_quota_error": Kind.QUOTA,
    "insufficient_balance": Kind.QUOTA,
    "payment_required": Kind.QUOTA,
    # Too long.
    "context_length_exceeded": Kind.CONTEXT_LENGTH,
    # The content was refused.
    "content_filter": Kind.CONTENT_POLICY,
    "content_policy_violation": Kind.CONTENT_POLICY,
    "moderation_blocked": Kind.CONTENT_POLICY,
    "invalid_prompt": Kind.CONTENT_POLICY,
    # No such model.
    "model_not_found": Kind.MODEL_NOT_FOUND,
    "model_decommissioned": Kind.MODEL_NOT_FOUND,
    "deploymentnotfound": Kind.MODEL_NOT_FOUND,
    "resource_not_found_error": Kind.MODEL_NOT_FOUND,
    "invalid_model": Kind.MODEL_NOT_FOUND,
    # The key or the account.
    "invalid_api_key": Kind.AUTH,
    "authentication_error": Kind.AUTH,
    "invalid_authentication_error": Kind.AUTH,
    "incorrect_api_key_error": Kind.AUTH,
    "permission_denied_error": Kind.AUTH,
    "access_terminated_error": Kind.AUTH,
    "account_deactivated": Kind.AUTH,
    "unsupported_country_region_territory": Kind.AUTH,
    # Asked too often. Moonshot's overload is a 429 that passes, so it cools the target down and trips no breaker.
    "rate_limit_exceeded": Kind.RATE_LIMITED,
    "rate_limit_error": Kind.RATE_LIMITED,
    "rate_limit_reached_error": Kind.RATE_LIMITED,
    "rate_limited": Kind.RATE_LIMITED,
    "slow_down": Kind.RATE_LIMITED,
    "engine_overloaded_error": Kind.RATE_LIMITED,
}
_CODES_INSIDE = (("innererror", "code"), ("metadata", "error_type"))
"""Where Azure and OpenRouter say it once more."""
_KIND_OF_STATUS = {
    401: Kind.AUTH,
    402: Kind.QUOTA,
    403: Kind.AUTH,
    404: Kind.MODEL_NOT_FOUND,
    408: Kind.SERVER,
    409: Kind.SERVER,
    429: Kind.RATE_LIMITED,
    498: Kind.RATE_LIMITED,
    508: Kind.LOOP,
}
_REFUSED = (None, 400, 403, 404, 413, 422, 429)
_KIND_OF_MESSAGE = tuple(
    (kind, re.compile(pattern, re.IGNORECASE))
    for kind, pattern in (
        (Kind.CONTEXT_LENGTH, r"(maximum|model's) context length|context (length|window).{0,40}exceed"),
        (Kind.CONTEXT_LENGTH, r"exceed.{0,40}context (length|window|size)|(prompt|input) is too long"),
        (Kind.CONTEXT_LENGTH, r"too large for model with|exceeded model token limit|token length too long"),
        (Kind.QUOTA, r"exceeded (your )?current quota|insufficient (balance|credits|quota)|(spend|key) limit"),
        (Kind.MODEL_NOT_FOUND, r"is not a valid model|model\b.{0,200} (does not|not) exist|invalid model"),
        (Kind.AUTH, r"api key not valid|invalid api key"),
    )
)
_CLIENT_FAULT_TYPE = "invalid_request_error"


def parse_error(status: int, headers: Mapping[str, str], body: bytes, now: float) -> Failure:
    """An answer that is not 2xx. `headers` have lower-case names; `now` is Unix seconds."""
    try:
        decoded = decode_json(body)
    except WireError:
        decoded = None
    if isinstance(decoded, list) and decoded:
        decoded = decoded[0]
    error = error_object(decoded) if isinstance(decoded, dict) else {"message": _plain_text(body)}
    return error_failure(error, status, retry_after_s(headers, now))


def error_object(body: dict[str, Any]) -> dict[str, Any]:
    """The error in a body: OpenAI's and most others' `error`, or the body itself (Mistral)."""
    error = body.get("error") or body
    return error if isinstance(error, dict) else {"message": error}


def error_in(body: dict[str, Any]) -> dict[str, Any] | None:
    """The error in a chunk, a choice or an answer that came with a 200, if there is one."""
    if body.get("error"):
        return error_object(body)
    if "x_groq" in body and get_object(body, "x_groq").get("error"):
        return error_object(body["x_groq"])
    return body if body.get("object") == "error" else None


def error_failure(error: dict[str, Any], status: int | None = None, retry_after_s: float | None = None) -> Failure:
    """An `error` object, also one that came inside a 200 or a stream; there its own numeric code is the status."""
    codes = [str(error[key]) for key in ("code", "type", "status") if isinstance(error.get(key), str | int)]
    codes += [get_text(get_object(error, place), name) for place, name in _CODES_INSIDE]
    if status is None:
        status = _status_in(error)
    message = _clean(_message(error)) or f"The upstream answered with status {status or 'unknown'} and said nothing."
    code = get_text(error, "code")
    return Failure(
        _kind(status, error, [code.lower() for code in codes], message),
        message,
        status=status,
        code=None if code.isdigit() else _clean(code) or None,
        param=get_text(error, "param") or None,
        retry_after_s=retry_after_s,
    )


def _kind(status: int | None, error: dict[str, Any], codes: list[str], message: str) -> Kind:
    if status == 413 and "rate_limit_exceeded" in codes:
        # Groq: this one request is larger than the account's tokens a minute, so waiting is no use.
        return Kind.BAD_REQUEST
    if status == 403 and get_object(error, "metadata").keys() & {"reasons", "flagged_input"}:
        return Kind.CONTENT_POLICY
    for code in codes:
        if code in _KIND_OF_CODE:
            return _KIND_OF_CODE[code]
    if status in _REFUSED:
        for kind, pattern in _KIND_OF_MESSAGE:
            if pattern.search(message):
                return kind
    return _kind_of_status(status, codes)


def _kind_of_status(status: int | None, codes: list[str]) -> Kind:
    if status is None:
        return Kind.BAD_REQUEST if _CLIENT_FAULT_TYPE in codes else Kind.SERVER
    if status in _KIND_OF_STATUS:
        return _KIND_OF_STATUS[status]
    if status >= 500:
        return Kind.SERVER
    return Kind.BAD_REQUEST if status >= 400 else Kind.INVALID


def _status_in(error: dict[str, Any]) -> int | None:
    for key in ("status_code", "code", "status", "raw_status_code"):
        text = str(error.get(key))
        if re.fullmatch(r"[45]\d\d", text):
            return int(text)
    return None


def _message(error: dict[str, Any]) -> str:
    said = error.get("message") or error.get("detail")
    if isinstance(said, dict):
        said = said.get("detail") or said.get("message")
    if isinstance(said, list):
        said = "; ".join(filter(None, map(_validation_message, get_objects({"said": said}, "said"))))
    behind = get_text(get_object(error, "metadata"), "raw")
    return ": ".join(text for text in (said, behind) if isinstance(text, str) and text)


def _validation_message(item: dict[str, Any]) -> str:
    """One of FastAPI's validation errors: `{"loc": ["body", "field"], "msg": …}`."""
    place = item.get("loc")
    path = ".".join(map(str, place)) if isinstance(place, list) else ""
    return ": ".join(filter(None, (path, get_text(item, "msg"))))


def _plain_text(body: bytes) -> str:
    """A short text is worth showing, a page is not."""
    text = body[: 4 * _MESSAGE_CHARS].decode(errors="replace").strip()
    return "" if text.startswith("<") else text


def _clean(text: str) -> str:
    return _CONTROLS.sub(" ", text).strip()[:_MESSAGE_CHARS]
