import pytest

from clawgw.errors import BudgetExceeded, RateLimitExceeded
from clawgw.limits.bucket import Bucket, Refused, Standing
from clawgw.limits.words import limit_headers, refusal, size_text

REQUESTS = Bucket("key", "alice", "requests", 600)
TOKENS = Bucket("label", "team:search", "tokens", 200_000)
PLACES = Bucket("route", "fast", "concurrent", 3)
BUDGET = Bucket("quota", "user:42", "usd", 2_500_000_000, "day")


@pytest.mark.parametrize(
    ("bucket", "says"),
    [
        (REQUESTS, "the limit of this key is 600 requests per minute: it is used up, try again in 1.5s"),
        (TOKENS, "the limit that this key shares is 200000 tokens per minute: it is used up, try again in 1.5s"),
        (PLACES, "the limit of the route is 3 requests at once: it is used up, try again in 1.5s"),
    ],
)
def test_a_refusal_names_the_scope_and_the_limit_and_nobody(bucket: Bucket, says: str) -> None:
    error = refusal(Refused([Standing(bucket, 0, 60_000, 1500)]))
    assert isinstance(error, RateLimitExceeded)
    assert (error.message, error.retry_after_s, error.retryable) == (says, 1.5, True)


def test_an_empty_budget_is_another_error() -> None:
    error = refusal(Refused([Standing(BUDGET, 0, 3_600_000, 3_600_000)]))
    assert isinstance(error, BudgetExceeded)
    assert error.message == "the budget of a quota is 2.5 USD per day: it is used up, try again in 1h0m0s"
    assert not error.retryable


@pytest.mark.parametrize(
    ("nano", "says"), [(1, "0.000000001"), (5_000_000_000, "5"), (1_234_567_890_000_000, "1234567.89")]
)
def test_a_budget_is_told_in_plain_digits(nano: int, says: str) -> None:
    assert size_text(Bucket("key", "alice", "usd", nano, "month")) == f"{says} USD per month"


def test_of_several_the_one_that_takes_longest_is_named() -> None:
    refused = Refused([Standing(REQUESTS, 0, 10, 10), Standing(BUDGET, 9, 9, 0), Standing(TOKENS, 0, 20, 20)])
    assert "200000 tokens" in refusal(refused).message


def test_headers_are_openais() -> None:
    assert limit_headers([Standing(REQUESTS, 598, 200), Standing(TOKENS, 150_000, 15_000), Standing(PLACES, 1, 0)]) == {
        "x-ratelimit-limit-requests": "600",
        "x-ratelimit-remaining-requests": "598",
        "x-ratelimit-reset-requests": "200ms",
        "x-ratelimit-limit-tokens": "200000",
        "x-ratelimit-remaining-tokens": "150000",
        "x-ratelimit-reset-tokens": "15s",
    }


def test_of_one_kind_the_scarcest_is_shown() -> None:
    wide = Bucket("route", "fast", "requests", 10_000)
    headers = limit_headers([Standing(wide, 9_000, 1), Standing(REQUESTS, 30, 361_000)])
    assert (headers["x-ratelimit-limit-requests"], headers["x-ratelimit-reset-requests"]) == ("600", "6m1s")


def test_without_such_limits_there_are_none() -> None:
    assert limit_headers([Standing(BUDGET, 1, 1)]) == {}


def test_a_refusal_brings_the_headers_along() -> None:
    assert refusal(Refused([Standing(REQUESTS, 0, 60_000, 100)])).headers["x-ratelimit-remaining-requests"] == "0"
