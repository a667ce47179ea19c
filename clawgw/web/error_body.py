"""A `GatewayError` as the client sees it: headers, body, or an event in a stream that has begun."""

import math

import orjson

from clawgw.errors import GatewayError

_PROMISES_RETRY_AFTER = {429, 503}


def error_headers(error: GatewayError) -> dict[str, str]:
    """`Retry-After` (RFC 9110, 10.2.3: whole seconds) on 429 and 503; `x-should-retry: false` where it is no use.

    What is left of an hour that was told this moment may be more than an hour, by the clock's last binary digit: that
    is no second more. The official OpenAI clients obey `x-should-retry`.
    """
    headers = {"content-type": "application/json", **error.headers}
    if error.status in _PROMISES_RETRY_AFTER or error.retry_after_s is not None:
        headers["retry-after"] = str(max(1, math.ceil(round(error.retry_after_s or 1, 3))))
    if not error.retryable:
        headers["x-should-retry"] = "false"
    return headers


def error_json(error: GatewayError, request_id: str) -> bytes:
    """The body in OpenAI's shape."""
    return orjson.dumps(error.body(request_id))


def error_event(error: GatewayError, request_id: str) -> bytes:
    """The same as a server-sent event; no `[DONE]` follows it."""
    return b"data: " + error_json(error, request_id) + b"\n\n"
