from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from clawgw.wire.failure import Failure, Kind
from clawgw.wire.gemini.errors import failure_from_error, parse_error
from tests.shared import exchanges, needs_shared

Json = dict[str, Any]


def parse(status: int, error: Json, headers: Json | None = None) -> Failure:
    return parse_error(status, headers or {}, orjson.dumps({"error": error}), now=0.0)


def detail(kind: str, **fields: Any) -> Json:
    return {"@type": f"type.googleapis.com/google.rpc.{kind}", **fields}


def quota(*quota_ids: str) -> Json:
    return detail("QuotaFailure", violations=[{"quotaId": quota_id} for quota_id in quota_ids])


@pytest.mark.parametrize(
    ("status", "error", "kind"),
    [
        (400, {"message": "Please use a valid role: user, model."}, Kind.BAD_REQUEST),
        (400, {"message": "x", "details": [detail("ErrorInfo", reason="API_KEY_INVALID")]}, Kind.AUTH),
        (400, {"message": "API key expired. Please renew the API key."}, Kind.AUTH),
        (400, {"message": "User location is not supported for the API use."}, Kind.AUTH),
        (400, {"message": "x", "details": [detail("DebugInfo", detail="User location is not supported")]}, Kind.AUTH),
        (400, {"message": "The File a is not in an ACTIVE state."}, Kind.BAD_REQUEST),
        (
            400,
            {"message": "The input token count (1048577) exceeds the maximum number of tokens allowed (1048576)."},
            Kind.CONTEXT_LENGTH,
        ),
        (
            400,
            {"message": "The input token count is 2000000 but model only supports up to 1048576."},
            Kind.CONTEXT_LENGTH,
        ),
        (401, {"message": "Request had invalid authentication credentials."}, Kind.AUTH),
        (402, {"message": "No credit."}, Kind.QUOTA),
        (403, {"message": "Your project has been denied access."}, Kind.AUTH),
        (403, {"message": "CachedContent not found (or permission denied)"}, Kind.BAD_REQUEST),
        (403, {"message": "You do not have permission to access the File abc or it may not exist."}, Kind.BAD_REQUEST),
        (404, {"message": "models/x is not found for API version v1beta"}, Kind.MODEL_NOT_FOUND),
        (404, {"message": "The file abc was not found."}, Kind.BAD_REQUEST),
        (408, {}, Kind.SERVER),
        (409, {}, Kind.SERVER),
        (413, {}, Kind.BAD_REQUEST),
        (429, {"message": "You exceeded your current quota, please check your plan and billing"}, Kind.RATE_LIMITED),
        (429, {"details": [quota("GenerateRequestsPerMinutePerProjectPerModel")]}, Kind.RATE_LIMITED),
        (429, {"details": [quota("RequestsPerMinute", "GenerateRequestsPerDayPerProjectPerModel")]}, Kind.QUOTA),
        (429, {"message": "Your prepayment credits are depleted."}, Kind.QUOTA),
        (429, {"message": "Your project has exceeded its monthly spending cap."}, Kind.QUOTA),
        (500, {"message": "An internal error has occurred."}, Kind.SERVER),
        (503, {"message": "The model is overloaded."}, Kind.SERVER),
        (302, {}, Kind.INVALID),
    ],
)
def test_kinds(status: int, error: Json, kind: Kind) -> None:
    failure = parse(status, error)
    assert (failure.kind, failure.status) == (kind, status)


RETRY = detail("RetryInfo", retryDelay="45.8379s")


@pytest.mark.parametrize(
    ("headers", "details", "seconds"),
    [
        ({}, [], None),
        ({}, [quota("a"), RETRY], 45.8379),
        ({}, [detail("RetryInfo", retryDelay="soon")], None),
        ({"retry-after": "7"}, [RETRY], 7.0),
        ({"retry-after-ms": "250", "retry-after": "7"}, [RETRY], 0.25),
    ],
)
def test_when_to_ask_again(headers: Json, details: list[Json], seconds: float | None) -> None:
    assert parse(429, {"details": details}, headers).retry_after_s == seconds


def test_message_and_code() -> None:
    failure = parse(400, {"message": "x" * 2000, "status": "INVALID_ARGUMENT"})
    assert (failure.message, failure.code) == ("x" * 1000, "invalid_argument")


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b"[3]", b"3", b'{"error": "no"}'])
def test_an_error_that_says_nothing(body: bytes) -> None:
    failure = parse_error(502, {}, body, now=0.0)
    assert failure.kind is Kind.SERVER
    assert failure.message == "The upstream answered HTTP 502 and did not say why."


def test_an_error_may_be_in_an_array() -> None:
    body = orjson.dumps([{"error": {"code": 429, "message": "Later.", "status": "RESOURCE_EXHAUSTED"}}])
    assert parse_error(429, {}, body, now=0.0).message == "Later."


@pytest.mark.parametrize(
    ("error", "status"),
    [
        ({"code": 503}, 503),
        ({"status": "RESOURCE_EXHAUSTED"}, 429),
        ({"code": 8, "status": "RESOURCE_EXHAUSTED"}, 429),
        ({"code": 13, "status": "INTERNAL"}, 500),
        ({}, 500),
    ],
)
def test_the_status_of_an_error_in_a_stream(error: Json, status: int) -> None:
    assert failure_from_error(error).status == status


KINDS = {
    "err-429-json-array": Kind.RATE_LIMITED,
    "err-429-retryinfo": Kind.RATE_LIMITED,
    "err-500-internal": Kind.SERVER,
    "err-503-overloaded": Kind.SERVER,
    "err-504-deadline": Kind.SERVER,
}
BY_STATUS = {
    400: {Kind.BAD_REQUEST, Kind.AUTH},
    403: {Kind.AUTH},
    404: {Kind.MODEL_NOT_FOUND},
    429: {Kind.RATE_LIMITED},
}


@needs_shared
@pytest.mark.parametrize("exchange", exchanges("documented", provider="gemini"), ids=lambda exchange: exchange["name"])
def test_documented_errors(exchange: Json) -> None:
    response = exchange["response"]
    failure = parse_error(response["status"], response["headers"], orjson.dumps(response["body"]), now=0.0)
    assert failure.kind is KINDS[exchange["name"]]


RECORDED = [
    exchange
    for provider in ("gemini", "vertex")
    for exchange in exchanges("recordings", provider=provider)
    if exchange["response"]["status"] >= 400
]


@needs_shared
@pytest.mark.parametrize("exchange", RECORDED, ids=lambda exchange: exchange["name"])
def test_recorded_errors(exchange: Json) -> None:
    response = exchange["response"]
    failure = parse_error(response["status"], {}, orjson.dumps(response["body"]), now=0.0)
    assert failure.kind in BY_STATUS[response["status"]]
    assert failure.message == response["body"]["error"]["message"][:1000]


@given(st.integers(300, 599), st.binary() | st.sampled_from([b'[{"error":{"details":[{"violations":[3]}]}}]']))
def test_nothing_is_raised(status: int, body: bytes) -> None:
    assert parse_error(status, {"retry-after": "x"}, body, now=0.0).status == status
