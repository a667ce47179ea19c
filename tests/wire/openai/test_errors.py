import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clawgw.wire.failure import Failure, Kind
from clawgw.wire.openai.errors import error_failure, error_in, parse_error
from tests.shared import exchanges, needs_shared

NOW = 1_700_000_000.0


def failure(status: int, body: Any, headers: dict[str, str] | None = None) -> Failure:
    return parse_error(status, headers or {}, json.dumps(body).encode(), NOW)


def error(**fields: Any) -> dict[str, Any]:
    return {"error": {"message": "m", **fields}}


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (429, error(code="rate_limit_exceeded", type="tokens"), Kind.RATE_LIMITED),
        (429, error(code="slow_down"), Kind.RATE_LIMITED),
        (429, error(), Kind.RATE_LIMITED),
        (498, error(), Kind.RATE_LIMITED),
        (429, error(type="engine_overloaded_error"), Kind.RATE_LIMITED),
        (429, {"object": "error", "message": "Service tier capacity exceeded", "type": "invalid_request_error"},
         Kind.RATE_LIMITED),
        (429, error(type="insufficient_quota"), Kind.QUOTA),
        (429, error(code="credit_balance_exhausted"), Kind.QUOTA),
        (429, error(code="organization_spend_limit_exceeded"), Kind.QUOTA),
        (429, error(code="project_spend_limit_exceeded"), Kind.QUOTA),
        (429, error(code="organization_usage_limit_exceeded"), Kind.QUOTA),
        (429, error(message="You exceeded your current quota"), Kind.QUOTA),
        (403, error(type="exceeded_current_quota_error"), Kind.QUOTA),
        (403, error(message="Insufficient balance"), Kind.QUOTA),
        (402, error(code=402), Kind.QUOTA),
        (401, error(code="invalid_api_key"), Kind.AUTH),
        (401, {"detail": "Invalid API Key"}, Kind.AUTH),
        (403, error(code="unsupported_country_region_territory"), Kind.AUTH),
        (403, error(), Kind.AUTH),
        (400, error(message="API key not valid. Please pass a valid API key."), Kind.AUTH),
        (403, error(code=403, metadata={"reasons": ["violence"], "flagged_input": "…"}), Kind.CONTENT_POLICY),
        (400, error(type="content_filter"), Kind.CONTENT_POLICY),
        (400, error(code="content_policy_violation"), Kind.CONTENT_POLICY),
        (400, error(innererror={"code": "content_filter"}), Kind.CONTENT_POLICY),
        (400, error(code="context_length_exceeded"), Kind.CONTEXT_LENGTH),
        (400, error(message="This model's maximum context length is 8192 tokens."), Kind.CONTEXT_LENGTH),
        (400, error(message="Invalid request: Your request exceeded model token limit: 8192"), Kind.CONTEXT_LENGTH),
        (422, {"message": "Prompt contains 40000 tokens, too large for model with 32768 maximum context length"},
         Kind.CONTEXT_LENGTH),
        (413, error(message="prompt is too long: 210000 tokens > 200000 maximum"), Kind.CONTEXT_LENGTH),
        (404, error(code="model_not_found"), Kind.MODEL_NOT_FOUND),
        (404, error(code="DeploymentNotFound"), Kind.MODEL_NOT_FOUND),
        (404, error(), Kind.MODEL_NOT_FOUND),
        (400, error(code="model_decommissioned"), Kind.MODEL_NOT_FOUND),
        (400, error(code=400, message="x/y is not a valid model ID"), Kind.MODEL_NOT_FOUND),
        (400, error(code=400, message="Model x/y does not exist"), Kind.MODEL_NOT_FOUND),
        (400, error(code="tool_use_failed"), Kind.BAD_REQUEST),
        (413, error(code="rate_limit_exceeded", type="tokens"), Kind.BAD_REQUEST),
        (418, error(), Kind.BAD_REQUEST),
        (408, error(), Kind.SERVER),
        (409, error(), Kind.SERVER),
        (500, error(type="invalid_request_error"), Kind.SERVER),
        (503, error(code="service_unavailable"), Kind.SERVER),
        (524, error(code=524), Kind.SERVER),
        (529, error(), Kind.SERVER),
        (508, error(), Kind.LOOP),
        (500, error(code="loop_detected"), Kind.LOOP),
        (302, {}, Kind.INVALID),
    ],
)  # fmt: skip
def test_the_body_tells_before_the_status(status: int, body: Any, kind: Kind) -> None:
    told = failure(status, body)
    assert (told.kind, told.status) == (kind, status)


@pytest.mark.parametrize(
    ("body", "kind", "status"),
    [
        ({"code": 524, "message": "Provider timed out"}, Kind.SERVER, 524),
        ({"code": "429", "message": "m"}, Kind.RATE_LIMITED, 429),
        ({"code": "content_filter", "status": 400, "message": "m"}, Kind.CONTENT_POLICY, 400),
        ({"code": "tool_use_failed", "status_code": 400, "type": "invalid_request_error"}, Kind.BAD_REQUEST, 400),
        ({"message": "m", "type": "invalid_request_error"}, Kind.BAD_REQUEST, None),
        ({"message": "The server had an error", "type": "server_error"}, Kind.SERVER, None),
        ({"message": "maximum context length is 10"}, Kind.CONTEXT_LENGTH, None),
        ({"code": 7, "message": "m"}, Kind.SERVER, None),
        ({}, Kind.SERVER, None),
    ],
)
def test_inside_a_200_the_error_s_own_code_is_the_status(body: dict[str, Any], kind: Kind, status: int | None) -> None:
    told = error_failure(body)
    assert (told.kind, told.status) == (kind, status)


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (error(message="plain"), "plain"),
        ({"error": "just text"}, "just text"),
        ([{"error": {"message": "in an array"}}], "in an array"),
        ({"object": "error", "message": "Mistral's"}, "Mistral's"),
        ({"detail": "Invalid API Key"}, "Invalid API Key"),
        (
            {"detail": [{"loc": ["body", "seed"], "msg": "Extra inputs"}, {"loc": ["body", 0], "msg": "Bad"}, {}]},
            "body.seed: Extra inputs; body.0: Bad",
        ),
        ({"message": {"detail": [{"loc": "?", "msg": "nested"}]}}, "nested"),
        ({"message": {"message": "deeper"}}, "deeper"),
        (error(message="Provider returned error", metadata={"raw": "too busy"}), "Provider returned error: too busy"),
        (error(message="a\x00\r\nb\x1b[31m"), "a b [31m"),
        (error(message="x" * 1500), "x" * 1000),
        (error(message=7), "The upstream answered with status 400 and said nothing."),
        ({}, "The upstream answered with status 400 and said nothing."),
        ([], "The upstream answered with status 400 and said nothing."),
    ],
)
def test_the_message_is_found_where_each_provider_puts_it(body: Any, message: str) -> None:
    if body == []:
        assert parse_error(400, {}, b"", NOW).message == message
    else:
        assert failure(400, body).message == message


def test_a_text_is_shown_and_a_page_is_not() -> None:
    assert parse_error(502, {}, b"error code: 502", NOW).message == "error code: 502"
    page = parse_error(502, {}, b"<html><title>502 Bad Gateway</title></html>", NOW)
    assert page.message == "The upstream answered with status 502 and said nothing."
    assert page.kind is Kind.SERVER


def test_nesting_beyond_reason_is_no_error_object() -> None:
    deep = b'{"error": {"message": "m", "code": ' + b"[" * 1000 + b"]" * 1000 + b"}}"
    assert parse_error(500, {}, deep, NOW).kind is Kind.SERVER


def test_code_and_param_are_kept_and_a_number_is_no_code() -> None:
    told = failure(400, error(code="invalid_value", param="messages[3]"))
    assert (told.code, told.param) == ("invalid_value", "messages[3]")
    for code in (402, "401", None, ""):
        told = failure(400, error(code=code, param=None))
        assert (told.code, told.param) == (None, None)


def test_the_hint_comes_from_the_headers() -> None:
    assert failure(429, error(), {"retry-after": "6", "retry-after-ms": "5500"}).retry_after_s == 5.5


@pytest.mark.parametrize(
    ("body", "found"),
    [
        ({"error": {"message": "m"}}, {"message": "m"}),
        ({"error": "m"}, {"message": "m"}),
        ({"x_groq": {"id": "r", "error": "m"}}, {"message": "m"}),
        ({"object": "error", "message": "m"}, {"object": "error", "message": "m"}),
        ({"error": None, "x_groq": {"id": "r"}, "object": "chat.completion"}, None),
        ({"x_groq": 5}, None),
    ],
)
def test_an_error_in_a_200_is_found(body: dict[str, Any], found: dict[str, Any] | None) -> None:
    assert error_in(body) == found


_KEYS = st.sampled_from(
    ["error", "message", "code", "type", "detail", "metadata", "raw", "param", "innererror", "status"]
)
_JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-600, 600) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_KEYS | st.text(max_size=5), inner, max_size=4),
    max_leaves=12,
)


@given(st.integers(300, 599), _JSON.map(lambda body: json.dumps(body).encode()) | st.binary(max_size=60))
def test_any_body_becomes_a_failure_with_a_clean_message(status: int, body: bytes) -> None:
    told = parse_error(status, {}, body, NOW)
    assert 0 < len(told.message) <= 1000
    assert not any(ord(letter) < 32 for letter in told.message)


DOCUMENTED = {
    ("openai", "err-400-context"): Kind.CONTEXT_LENGTH,
    ("openai", "err-403-region"): Kind.AUTH,
    ("openai", "err-429-quota"): Kind.QUOTA,
    ("openai", "err-429-tpm"): Kind.RATE_LIMITED,
    ("openai", "err-500"): Kind.SERVER,
    ("openai", "err-502-html"): Kind.SERVER,
    ("openai", "err-503-overloaded"): Kind.SERVER,
    ("groq", "err-413-too-large"): Kind.BAD_REQUEST,
    ("groq", "err-429-tpm"): Kind.RATE_LIMITED,
    ("groq", "err-503"): Kind.SERVER,
    ("mistral", "err-422-detail-list"): Kind.BAD_REQUEST,
    ("mistral", "err-422-nested-message"): Kind.BAD_REQUEST,
    ("mistral", "err-429-capacity"): Kind.RATE_LIMITED,
    ("mistral", "err-429-rate"): Kind.RATE_LIMITED,
    ("moonshot", "err-400-content-filter"): Kind.CONTENT_POLICY,
    ("moonshot", "err-400-temperature"): Kind.BAD_REQUEST,
    ("moonshot", "err-401"): Kind.AUTH,
    ("moonshot", "err-403-quota"): Kind.QUOTA,
    ("moonshot", "err-404-model"): Kind.MODEL_NOT_FOUND,
    ("moonshot", "err-429-overloaded"): Kind.RATE_LIMITED,
    ("moonshot", "err-429-rpm"): Kind.RATE_LIMITED,
    ("moonshot", "err-500"): Kind.SERVER,
    ("openrouter", "err-402-credits"): Kind.QUOTA,
    ("openrouter", "err-403-moderation"): Kind.CONTENT_POLICY,
    ("openrouter", "err-502-provider"): Kind.SERVER,
}


@needs_shared
@pytest.mark.parametrize(("provider", "name"), DOCUMENTED)
def test_documented_errors(provider: str, name: str) -> None:
    (exchange,) = exchanges("documented", provider=provider, name=name)
    response = exchange["response"]
    body = response["body"]
    raw = body.encode() if isinstance(body, str) else json.dumps(body).encode()
    assert parse_error(response["status"], response["headers"], raw, NOW).kind is DOCUMENTED[provider, name]


def test_an_error_of_null_does_not_hide_the_message_beside_it() -> None:
    assert failure(500, {"error": None, "message": "Try later."}).message == "Try later."


@pytest.mark.parametrize(
    ("said", "kind"),
    [
        ("context_length_exceeded", Kind.CONTEXT_LENGTH),
        ("content_policy_violation", Kind.CONTENT_POLICY),
        ("payment_required", Kind.QUOTA),
        ("rate_limit_exceeded", Kind.RATE_LIMITED),
    ],
)
def test_openrouter_s_own_word_for_the_error_counts(said: str, kind: Kind) -> None:
    assert failure(400, error(code=400, metadata={"error_type": said, "provider_code": "x"})).kind is kind


def test_a_key_of_openrouter_s_that_has_spent_its_limit_has_no_quota() -> None:
    said = error(code=403, message="Key limit exceeded (daily limit). Manage it using your settings.")
    assert failure(403, said).kind is Kind.QUOTA
