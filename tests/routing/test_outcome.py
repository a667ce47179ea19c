import pytest

from clawgw.policy import Target
from clawgw.routing.outcome import final_error, stream_error
from clawgw.wire.failure import Failure, Kind

A, B = Target("a", "m"), Target("b", "n")


def failure(kind: Kind, status: int | None = None, hint: float | None = None, code: str | None = None) -> Failure:
    return Failure(kind, "said so", status=status, retry_after_s=hint, code=code, param="p")


@pytest.mark.parametrize(
    ("failures", "status", "type_", "code"),
    [
        ([Kind.BAD_REQUEST], 400, "invalid_request_error", None),
        ([Kind.SERVER, Kind.BAD_REQUEST], 400, "invalid_request_error", None),
        ([Kind.CONTEXT_LENGTH], 400, "invalid_request_error", "context_length_exceeded"),
        ([Kind.CONTENT_POLICY], 400, "invalid_request_error", "content_policy_violation"),
        ([Kind.LOOP], 508, "invalid_request_error", "loop_detected"),
        ([Kind.MODEL_NOT_FOUND], 404, "invalid_request_error", "model_not_found"),
        ([Kind.AUTH], 502, "upstream_error", "upstream_auth_failed"),
        ([Kind.AUTH, Kind.AUTH], 502, "upstream_error", "upstream_auth_failed"),
        ([Kind.QUOTA], 429, "insufficient_quota", "upstream_quota_exhausted"),
        ([Kind.RATE_LIMITED], 429, "rate_limit_error", "upstream_rate_limited"),
        ([Kind.RATE_LIMITED, Kind.QUOTA], 429, "rate_limit_error", "upstream_rate_limited"),
        ([Kind.SERVER, Kind.SERVER], 502, "upstream_error", "all_targets_failed"),
        ([Kind.CONNECT, Kind.SERVER], 502, "upstream_error", "all_targets_failed"),
        ([Kind.TIMEOUT, Kind.TIMEOUT], 504, "upstream_error", "upstream_timeout"),
        ([Kind.TIMEOUT, Kind.SERVER], 502, "upstream_error", "all_targets_failed"),
        ([Kind.INVALID], 502, "upstream_error", "invalid_upstream_response"),
        ([Kind.TOO_LARGE], 502, "upstream_error", "upstream_too_large"),
        ([Kind.RESET], 502, "upstream_error", "all_targets_failed"),
        ([Kind.UNSUPPORTED, Kind.SERVER], 502, "upstream_error", "all_targets_failed"),
        ([Kind.UNAVAILABLE, Kind.SERVER], 502, "upstream_error", "all_targets_failed"),
        ([Kind.UNAVAILABLE, Kind.UNSUPPORTED], 503, "unavailable", "no_healthy_target"),
        ([Kind.UNSUPPORTED], 400, "invalid_request_error", "unsupported_parameter"),
        ([Kind.OVER_LIMIT], 429, "rate_limit_error", "rate_limit_exceeded"),
        ([Kind.KEY_OVER_LIMIT, Kind.UNAVAILABLE, Kind.UNSUPPORTED], 429, "rate_limit_error", "rate_limit_exceeded"),
        ([Kind.OVER_LIMIT, Kind.SERVER], 502, "upstream_error", "all_targets_failed"),
    ],
)
def test_the_table_of_faults(failures: list[Kind], status: int, type_: str, code: str | None) -> None:
    error = final_error([(A, failure(kind)) for kind in failures])
    assert (error.status, error.type, error.code) == (status, type_, code)


def test_an_upstreams_own_code_and_param_of_a_bad_request_reach_the_client() -> None:
    error = final_error([(A, failure(Kind.BAD_REQUEST, 400, code="invalid_image_url"))])
    assert (error.code, error.param, error.message) == ("invalid_image_url", "p", "a/m: said so")


def test_every_attempt_is_named_with_its_reason() -> None:
    error = final_error([(A, failure(Kind.SERVER, 503)), (B, failure(Kind.CONNECT))])
    assert error.message == "a/m: HTTP 503: said so; b/n: connect: said so"


def test_what_a_provider_says_of_a_refused_key_is_not_repeated() -> None:
    error = final_error([(A, Failure(Kind.AUTH, "Incorrect API key provided: sk-1234", status=401))])
    assert error.message == "a/m: HTTP 401: the provider refuses the gateway's key"


def test_the_shortest_hint_is_passed_on() -> None:
    limited = [(A, failure(Kind.RATE_LIMITED, 429, 30.0)), (B, failure(Kind.RATE_LIMITED, 429, 7.0))]
    assert final_error(limited).retry_after_s == 7.0
    assert final_error([(A, failure(Kind.RATE_LIMITED, 429))]).retry_after_s is None


def test_open_breakers_say_when_to_come_back() -> None:
    closed = [(A, failure(Kind.UNAVAILABLE, hint=9.0)), (B, failure(Kind.UNAVAILABLE, hint=4.0))]
    assert final_error(closed).retry_after_s == 4.0


def test_a_connect_timeout_is_a_timeout() -> None:
    error = final_error([(A, failure(Kind.CONNECT, code="connect_timeout")), (B, failure(Kind.TIMEOUT))])
    assert error.status == 504


def test_targets_that_cannot_are_each_named_once() -> None:
    cannot = [
        (A, Failure(Kind.UNSUPPORTED, "a cannot do n > 1", param="n")),
        (A, Failure(Kind.UNSUPPORTED, "a cannot do n > 1", param="n")),
        (B, Failure(Kind.UNSUPPORTED, "b cannot do n > 1", param="n")),
    ]
    error = final_error(cannot)
    assert (error.message, error.param) == ("a cannot do n > 1; b cannot do n > 1", "n")


@pytest.mark.parametrize("code", ["unsupported_endpoint", "price_unknown", "tokens_over_limit"])
def test_what_a_target_lacks_has_a_code_of_its_own(code: str) -> None:
    error = final_error([(A, Failure(Kind.UNSUPPORTED, "a lacks it", code=code))])
    assert (error.status, error.code) == (400, code)


def test_a_limit_says_when_to_come_back() -> None:
    limited = [(A, failure(Kind.OVER_LIMIT, hint=9.0)), (B, failure(Kind.KEY_OVER_LIMIT, hint=4.0))]
    assert final_error(limited).retry_after_s == 4.0


@pytest.mark.parametrize(
    ("codes", "type_", "code"),
    [
        (["budget_exceeded"], "insufficient_quota", "budget_exceeded"),
        (["budget_exceeded", "budget_exceeded"], "insufficient_quota", "budget_exceeded"),
        (["budget_exceeded", None], "rate_limit_error", "rate_limit_exceeded"),
    ],
)
def test_where_only_budgets_are_in_the_way_the_money_is_spent(codes: list[str | None], type_: str, code: str) -> None:
    error = final_error([(A, failure(Kind.OVER_LIMIT, code=each, hint=60.0)) for each in codes])
    assert (error.status, error.type, error.code, error.retry_after_s) == (429, type_, code, 60.0)


@pytest.mark.parametrize(
    ("kind", "code"),
    [
        (Kind.RESET, "stream_interrupted"),
        (Kind.SERVER, "stream_interrupted"),
        (Kind.IDLE, "stream_idle_timeout"),
        (Kind.TIMEOUT, "upstream_timeout"),
        (Kind.TOO_LARGE, "upstream_too_large"),
        (Kind.INVALID, "invalid_upstream_response"),
        (Kind.RATE_LIMITED, "upstream_rate_limited"),
    ],
)
def test_errors_within_a_stream(kind: Kind, code: str) -> None:
    error = stream_error(A, failure(kind))
    assert (error.type, error.code) == ("upstream_error", code)
