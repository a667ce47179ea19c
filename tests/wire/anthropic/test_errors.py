from datetime import UTC, datetime
from typing import Any

import orjson
import pytest

from clawgw.wire.anthropic.errors import failure_from_event, failure_from_response
from clawgw.wire.failure import Kind
from tests.shared import exchanges, needs_shared

NOW = datetime(2026, 1, 1, tzinfo=UTC).timestamp()


def body(kind: str, message: str = "m", **more: Any) -> bytes:
    return orjson.dumps({"type": "error", "error": {"type": kind, "message": message, **more}, "request_id": "req_1"})


@pytest.mark.parametrize(
    ("status", "answer", "kind"),
    [
        (400, body("invalid_request_error"), Kind.BAD_REQUEST),
        (400, body("invalid_request_error", "prompt is too long: 9 tokens > 8 maximum"), Kind.CONTEXT_LENGTH),
        (
            400,
            body("invalid_request_error", "input length and `max_tokens` exceed context limit: 9 + 1 > 8"),
            Kind.CONTEXT_LENGTH,
        ),
        (
            400,
            body("invalid_request_error", "Your credit balance is too low to access the Anthropic API."),
            Kind.QUOTA,
        ),
        (
            400,
            body("invalid_request_error", "You have reached your specified workspace API usage limits."),
            Kind.QUOTA,
        ),
        (400, body("invalid_request_error", "This organization has been disabled."), Kind.AUTH),
        (400, body("invalid_request_error", "Output blocked by content filtering policy"), Kind.CONTENT_POLICY),
        (401, body("authentication_error"), Kind.AUTH),
        (402, body("billing_error"), Kind.QUOTA),
        (403, body("permission_error"), Kind.AUTH),
        (403, b'{"error":{"type":"forbidden","message":"Request not allowed"}}', Kind.AUTH),
        (404, body("not_found_error", "model: claude-9"), Kind.MODEL_NOT_FOUND),
        (409, body("conflict_error"), Kind.SERVER),
        (413, body("request_too_large"), Kind.BAD_REQUEST),
        (413, b"<html>", Kind.BAD_REQUEST),
        (422, b"", Kind.BAD_REQUEST),
        (429, body("rate_limit_error"), Kind.RATE_LIMITED),
        (429, body("rate_limit_error", details={"error_code": "enforced_spend_limit_reached"}), Kind.QUOTA),
        (429, b"slow down", Kind.RATE_LIMITED),
        (500, body("api_error"), Kind.SERVER),
        (502, b"<html>", Kind.SERVER),
        (504, body("timeout_error"), Kind.SERVER),
        (529, body("overloaded_error"), Kind.SERVER),
        (529, b"", Kind.SERVER),
    ],
)
def test_kinds(status: int, answer: bytes, kind: Kind) -> None:
    failure = failure_from_response(status, {}, answer, NOW)
    assert (failure.kind, failure.status) == (kind, status)
    assert failure.message


def bucket(name: str, remaining: str, reset: str) -> dict[str, str]:
    return {f"anthropic-ratelimit-{name}-remaining": remaining, f"anthropic-ratelimit-{name}-reset": reset}


@pytest.mark.parametrize(
    ("headers", "hint_s"),
    [
        ({"retry-after": "13", **bucket("tokens", "0", "2026-01-01T00:01:00Z")}, 13.0),
        (bucket("input-tokens", "0", "2026-01-01T00:00:30Z"), 30.0),
        (bucket("requests", "0", "2026-01-01T00:00:05Z") | bucket("tokens", "0", "2026-01-01T00:00:09Z"), 9.0),
        (bucket("requests", "7", "2026-01-01T00:00:05Z"), None),
        (bucket("output-tokens", "0", "2025-12-31T23:59:59Z"), 0.0),
        (bucket("output-tokens", "0", "soon"), None),
        ({}, None),
    ],
)
def test_a_hint_is_retry_after_or_the_last_reset_of_an_empty_bucket(
    headers: dict[str, str], hint_s: float | None
) -> None:
    assert failure_from_response(429, headers, body("rate_limit_error"), NOW).retry_after_s == hint_s


def test_no_hint_where_waiting_does_not_help() -> None:
    assert failure_from_response(400, {"retry-after": "3"}, body("invalid_request_error"), NOW).retry_after_s is None


def test_a_message_is_cut() -> None:
    long = body("api_error", "x" * 5000)
    assert failure_from_response(500, {}, long, NOW).message == "x" * 1000
    assert failure_from_event(orjson.loads(long)).message == "x" * 1000


def test_an_event_that_says_nothing_is_the_providers_fault() -> None:
    assert failure_from_event({"type": "error"}).kind is Kind.SERVER


RECORDED_KINDS = {
    400: {Kind.BAD_REQUEST, Kind.CONTEXT_LENGTH},
    401: {Kind.AUTH},
    402: {Kind.QUOTA},
    403: {Kind.AUTH},
    404: {Kind.MODEL_NOT_FOUND},
    413: {Kind.BAD_REQUEST},
    429: {Kind.RATE_LIMITED, Kind.QUOTA},
    500: {Kind.SERVER},
    529: {Kind.SERVER},
}


@needs_shared
@pytest.mark.parametrize("collection", ["recordings", "documented"])
def test_recorded_errors_keep_their_message(collection: str) -> None:
    for exchange in exchanges(collection, provider="anthropic"):
        response = exchange["response"]
        if response["status"] >= 400:
            answer = orjson.dumps(response["body"])
            failure = failure_from_response(response["status"], response.get("headers") or {}, answer, NOW)
            assert failure.kind in RECORDED_KINDS[response["status"]], exchange["name"]
            assert failure.message == response["body"]["error"]["message"][:1000]
