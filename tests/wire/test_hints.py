import pytest
from hypothesis import given
from hypothesis import strategies as st

from clawgw.wire.hints import duration_s, retry_after_s

NOW = 1_700_000_000.0  # Tue, 14 Nov 2023 22:13:20 GMT


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"retry-after": "6"}, 6.0),
        ({"retry-after": " 1.5 "}, 1.5),
        ({"retry-after-ms": "250", "retry-after": "6"}, 0.25),
        ({"retry-after-ms": "soon", "retry-after": "6"}, 6.0),
        ({"retry-after": "Tue, 14 Nov 2023 22:13:50 GMT"}, 30.0),
        ({"retry-after": "Tue, 14 Nov 2023 22:00:00 GMT"}, 0.0),
        ({"retry-after": "soon"}, None),
        ({"retry-after": "-5"}, None),
        ({"retry-after": "nan"}, None),
        ({"retry-after": "Tue, 14 Nov 99999 22:13:50 GMT"}, None),
        # Only the bucket that is empty counts, and of two empty ones the later reset.
        ({"x-ratelimit-remaining-requests": "3", "x-ratelimit-reset-requests": "1h"}, None),
        ({"x-ratelimit-remaining-tokens": "0", "x-ratelimit-reset-tokens": "5.289s"}, 5.289),
        (
            {
                "x-ratelimit-remaining-requests": "0",
                "x-ratelimit-reset-requests": "2m59.56s",
                "x-ratelimit-remaining-tokens": "0",
                "x-ratelimit-reset-tokens": "5s",
            },
            179.56,
        ),
        ({"x-ratelimit-remaining-tokens": "0"}, None),
        ({"x-ratelimit-remaining-tokens": "0", "x-ratelimit-reset-tokens": "12"}, 12.0),
        ({"x-ratelimit-remaining": "0", "x-ratelimit-reset": "1700000010000"}, 10.0),
        ({"x-ratelimit-remaining": "0", "x-ratelimit-reset": "1700000010"}, 10.0),
        ({"x-ratelimit-remaining": "0", "x-ratelimit-reset": "2023-11-14T22:13:30Z"}, 10.0),
        ({"x-ratelimit-remaining": "0", "x-ratelimit-reset": "1600000000"}, 0.0),
    ],
)
def test_the_hint_is_read_in_the_order_of_its_headers(headers: dict[str, str], seconds: float | None) -> None:
    assert retry_after_s(headers, NOW) == (None if seconds is None else pytest.approx(seconds))


def test_other_names_of_buckets_can_be_given() -> None:
    headers = {"left": "0", "reset": "3s"}
    assert retry_after_s(headers, NOW, {"left": "reset"}) == 3.0


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("12ms", 0.012),
        ("1m2.5s", 62.5),
        ("6m0s", 360.0),
        ("1h2m3s", 3723.0),
        ("1d", 86400.0),
        ("45.8379s", 45.8379),
        ("", None),
        ("5", None),
        ("5 s", None),
        ("s", None),
        ("5s later", None),
    ],
)
def test_durations(text: str, seconds: float | None) -> None:
    assert duration_s(text) == (None if seconds is None else pytest.approx(seconds))


_NAMES = ("retry-after-ms", "retry-after", "x-ratelimit-remaining", "x-ratelimit-reset")


@given(st.dictionaries(st.sampled_from(_NAMES), st.text(max_size=40) | st.just("0")))
def test_whatever_the_headers_say_the_hint_is_none_or_not_negative(headers: dict[str, str]) -> None:
    seconds = retry_after_s(headers, NOW)
    assert seconds is None or seconds >= 0
