"""The oracle for failures: from an upstream's status and body to the error that a client with one target must see.

By the table of faults in `reliability.md`, with each provider's own words for quota, keys, content and prompts that are
too long from `wire-formats.md`. An error inside a 200 is read as if its own code were the status.
"""

import json
import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from tests.recordings.expected import Fault, Faults

BAD_REQUEST = Fault(400, "invalid_request_error")
CONTEXT = Fault(400, "invalid_request_error", "context_length_exceeded")
CONTENT = Fault(400, "invalid_request_error", "content_policy_violation")
MODEL = Fault(404, "invalid_request_error", "model_not_found")
RATE = Fault(429, "rate_limit_error", "upstream_rate_limited")
QUOTA = Fault(429, "insufficient_quota", "upstream_quota_exhausted")
AUTH = Fault(502, "upstream_error", "upstream_auth_failed")
SERVER = Fault(502, "upstream_error", "all_targets_failed")
TIMEOUT = Fault(504, "upstream_error", "upstream_timeout")
INVALID = Fault(502, "upstream_error", "invalid_upstream_response")
REFUSED_ANSWER = Fault(502, "upstream_error")
"""A finish reason that stands for a failure: 502, and no page says with which code."""

_ROWS: tuple[tuple[set[int], str, tuple[Fault, ...]], ...] = (
    ({402}, "", (QUOTA,)),
    (
        {403, 429},
        "insufficient_quota|exceeded_current_quota|credit_balance_exhausted|spend_limit|usage_limit_exceeded|PerDay",
        (QUOTA,),
    ),
    ({400, 403}, "content_filter|content_policy|ResponsibleAIPolicyViolation|flagged_input", (CONTENT,)),
    ({401, 403}, "", (AUTH,)),
    ({400}, "API_KEY_INVALID", (AUTH,)),
    ({400, 413}, "context_length_exceeded|prompt is too long|maximum context length", (CONTEXT,)),
    ({400}, r"is not a valid model ID|[Mm]odel \S+ does not exist", (MODEL, BAD_REQUEST)),
    ({400}, "User location is not supported", (BAD_REQUEST, AUTH)),
    ({400, 413, 422}, "", (BAD_REQUEST,)),
    ({404}, "", (MODEL,)),
    ({429, 498}, "", (RATE,)),
    ({408, 504, 524}, "", (SERVER, TIMEOUT)),
)
"""Statuses, words of the body, and what it comes to; the first row that fits is it."""


def faults(status: int, body: object, headers: Mapping[str, str] = MappingProxyType({})) -> Faults:
    """For an answer that is no success; `body` is parsed JSON, or text, and header names are lower case."""
    text = json.dumps(body)
    rows = (any_of for statuses, words, any_of in _ROWS if status in statuses and re.search(words, text))
    return Faults(next(rows, (SERVER,)), _hint(headers, text))


def _hint(headers: Mapping[str, str], text: str) -> float | None:
    """Milliseconds win over seconds, headers over Gemini's `RetryInfo`."""
    if "retry-after-ms" in headers:
        return float(headers["retry-after-ms"]) / 1000
    if "retry-after" in headers:
        return float(headers["retry-after"])
    delay = re.search(r'"retryDelay": "([\d.]+)s"', text)
    return float(delay[1]) if delay else None


def faults_inside(error: dict[str, Any]) -> Faults:
    """For an error that came with a 200: `error` is the object under the key `error`."""
    said = error.get("status_code") or error.get("status") or error.get("code")
    status = int(said) if isinstance(said, int) or (isinstance(said, str) and said.isdigit()) else 500
    return faults(status, {"error": error})
