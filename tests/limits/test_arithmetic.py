from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clawgw.limits import arithmetic
from clawgw.limits.arithmetic import LEASE_TICK_MS, MAX_LIMIT, SET_BACK_MS, UNUSED, Level, Spending, TokenBucket
from clawgw.limits.bucket import Bucket, Kind, Spent, Standing, Window
from clawgw.limits.store import LEASE_MS, RENEW_MS

NOON = 1_709_208_000_000
"""2024-02-29 12:00:00 UTC."""
TEN = Bucket("key", "k", "requests", 10)
DOLLAR = Bucket("key", "k", "usd", 1_000_000_000, "day")
PLACES = Bucket("key", "k", "concurrent", 3)


def ms(*when: int) -> int:
    return int(datetime(*when, tzinfo=UTC).timestamp() * 1000)  # type: ignore[arg-type, misc] # year, month, day, …


def level(gauge: arithmetic.Gauge) -> Level:
    return gauge.used, gauge.at_ms


def advanced(gauge: arithmetic.Gauge, now_ms: int) -> Level:
    gauge.advance(now_ms)
    return level(gauge)


def test_a_bucket_of_ten_a_minute_gives_one_every_six_seconds() -> None:
    gauge = TokenBucket(TEN)
    gauge.advance(NOON)
    gauge.take(10)
    assert level(gauge) == (600_000, NOON)
    assert gauge.standing(NOON, 1) == Standing(TEN, 0, 60_000, 6_000)
    gauge.advance(NOON + 5_999)
    assert gauge.standing(NOON + 5_999, 1) == Standing(TEN, 0, 54_001, 1)
    gauge.advance(NOON + 6_000)
    assert gauge.standing(NOON + 6_000, 1) == Standing(TEN, 1, 54_000, 0)
    gauge.advance(NOON + 60_000)
    assert gauge.standing(NOON + 60_000) == Standing(TEN, 10, 0, 0)


@pytest.mark.parametrize(
    ("used", "settled", "wait"), [(0, 0, 0), (4, 240_000, 0), (15, 900_000, 36_000), (99, 1_200_000, 66_000)]
)
def test_settling_gives_back_or_goes_into_debt_of_one_limit_at_most(used: int, settled: int, wait: int) -> None:
    gauge = TokenBucket(TEN, 600_000, NOON)
    gauge.settle(10, used, NOON - 5)
    assert level(gauge) == (settled, NOON)
    assert gauge.wait_ms(NOON, 1) == wait


def test_settling_gives_back_no_more_than_is_used() -> None:
    gauge = TokenBucket(TEN, 60_000, NOON)
    gauge.settle(10, 0, NOON)
    assert level(gauge) == (0, NOON)


def test_a_debt_leaves_nothing() -> None:
    assert TokenBucket(TEN, 1_200_000, NOON).standing(NOON) == Standing(TEN, 0, 120_000, 60_000)


def test_another_limit_acts_on_the_same_state() -> None:
    more, less = Bucket("key", "k", "requests", 100), Bucket("key", "k", "requests", 2)
    assert TokenBucket(more, 600_000, NOON).standing(NOON).remaining == 90
    gauge = TokenBucket(less, 600_000, NOON)
    assert advanced(gauge, NOON) == (240_000, NOON)
    assert advanced(TokenBucket(less, *advanced(gauge, NOON + 7)), NOON + 90) == (240_000 - 90 * 2, NOON + 90)


def test_nothing_ever_passes_a_limit_of_nothing() -> None:
    gauge = TokenBucket(Bucket("key", "k", "requests", 0))
    gauge.advance(NOON)
    assert gauge.wait_ms(NOON, 1) > 0
    assert gauge.wait_ms(NOON, 0) == 0


def test_a_clock_that_is_a_little_behind_refills_nothing_twice() -> None:
    gauge = TokenBucket(TEN, 600_000, NOON)
    assert advanced(gauge, NOON - SET_BACK_MS) == (600_000, NOON)
    assert gauge.wait_ms(NOON - 100, 1) == 6_100


def test_after_a_clock_was_set_back_a_full_bucket_does_not_refuse_until_that_time_has_come_again() -> None:
    assert advanced(TokenBucket(TEN, 600_000, NOON), NOON - SET_BACK_MS - 1) == (0, NOON - SET_BACK_MS - 1)


def test_a_budget_lasts_until_its_window_ends() -> None:
    gauge, midnight = Spending(DOLLAR), ms(2024, 3, 1)
    gauge.advance(NOON)
    gauge.take(900_000_000)
    assert level(gauge) == (900_000_000, ms(2024, 2, 29))
    assert gauge.standing(NOON, 100_000_000) == Standing(DOLLAR, 100_000_000, 43_200_000, 0)
    assert gauge.standing(NOON, 100_000_001) == Standing(DOLLAR, 100_000_000, 43_200_000, 43_200_000)
    assert advanced(gauge, midnight - 1) == (900_000_000, ms(2024, 2, 29))
    assert advanced(gauge, midnight) == (0, midnight)
    assert advanced(Spending(DOLLAR, 7, midnight), midnight - 5) == (7, midnight)


@pytest.mark.parametrize(
    ("used", "at_ms", "amount", "really", "settled"),
    [
        (500, ms(2024, 2, 29), 200, 50, 350),
        (500, ms(2024, 3, 1), 200, 50, 500),
        (0, ms(2024, 2, 29), 0, 10**30, MAX_LIMIT["usd"]),
    ],
)
def test_a_budget_is_settled_in_the_window_of_its_reservation_only(
    used: int, at_ms: int, amount: int, really: int, settled: int
) -> None:
    gauge = Spending(DOLLAR, used, at_ms)
    gauge.settle(amount, really, ms(2024, 2, 29))
    assert level(gauge) == (settled, at_ms)


@pytest.mark.parametrize(
    ("used", "spent", "seeded"),
    [
        (5, Spent(7, NOON), 7),
        (9, Spent(7, NOON), 9),
        (9, Spent(10**30, NOON), MAX_LIMIT["usd"]),
        (5, Spent(7, NOON - 3_600_000), 5),
    ],
)
def test_a_seed_is_the_least_that_was_spent_in_its_window(used: int, spent: Spent, seeded: int) -> None:
    gauge = Spending(DOLLAR, used, NOON)
    gauge.seed(spent)
    assert level(gauge) == (seeded, NOON)


def test_places_know_neither_time_nor_end() -> None:
    assert arithmetic.standing(PLACES, (2, 0), NOON, 1) == Standing(PLACES, 1, 0, 0)
    assert arithmetic.standing(PLACES, (3, 0), NOON, 1) == Standing(PLACES, 0, 0, 1_000)


def test_a_bucket_stands_as_it_has_become_since() -> None:
    assert arithmetic.standing(TEN, (600_000, NOON), NOON + 6_000, 2) == Standing(TEN, 1, 54_000, 6_000)
    assert arithmetic.standing(DOLLAR, (7, ms(2024, 2, 28)), NOON) == Standing(DOLLAR, 10**9, 43_200_000)
    assert arithmetic.standing(TEN, UNUSED, NOON) == Standing(TEN, 10, 0)


@pytest.mark.parametrize(
    ("per", "now", "expected"),
    [
        ("minute", ms(2024, 2, 29, 12, 0, 59), (ms(2024, 2, 29, 12), ms(2024, 2, 29, 12, 1))),
        ("hour", ms(2024, 12, 31, 23, 59, 59), (ms(2024, 12, 31, 23), ms(2025, 1, 1))),
        ("day", ms(2024, 2, 29), (ms(2024, 2, 29), ms(2024, 3, 1))),
        ("month", ms(2024, 2, 29, 12), (ms(2024, 2, 1), ms(2024, 3, 1))),
        ("month", ms(2025, 1, 31), (ms(2025, 1, 1), ms(2025, 2, 1))),
        ("month", ms(2100, 2, 28, 23), (ms(2100, 2, 1), ms(2100, 3, 1))),
        ("month", ms(2026, 12, 31, 23, 59, 59), (ms(2026, 12, 1), ms(2027, 1, 1))),
    ],
)
def test_windows_are_those_of_the_calendar(per: Window, now: int, expected: tuple[int, int]) -> None:
    assert arithmetic.window(per, now) == expected


@given(st.integers(0, 2**43))
def test_leases_end_within_their_time_and_outlive_a_renewal_that_is_late(now: int) -> None:
    left = arithmetic.lease_ends_ms(now) - now
    assert 2 * RENEW_MS < LEASE_MS - LEASE_TICK_MS < left <= LEASE_MS


FLOWING: st.SearchStrategy[Kind] = st.sampled_from(["requests", "tokens"])
LIMITS = st.one_of(st.integers(1, 100), st.integers(1, MAX_LIMIT["tokens"]))


@given(FLOWING, LIMITS, st.data())
def test_what_one_waits_for_is_there_then_and_not_before(kind: Kind, limit: int, data: st.DataObject) -> None:
    bucket, used = Bucket("key", "k", kind, limit), data.draw(st.integers(0, 2 * limit * 60_000))
    amount = data.draw(st.integers(0, limit))

    def wait_ms(passed_ms: int) -> int:
        gauge = TokenBucket(bucket, used, NOON)
        gauge.advance(NOON + passed_ms)
        assert gauge.standing(NOON + passed_ms, amount).wait_ms == gauge.wait_ms(NOON + passed_ms, amount)
        return gauge.wait_ms(NOON + passed_ms, amount)

    wait = wait_ms(0)
    assert not wait_ms(wait)
    assert not wait or wait_ms(wait - 1) == 1


@given(LIMITS, st.lists(st.tuples(st.integers(0, 90_000), st.floats(0, 1)), max_size=20))
def test_no_more_passes_than_a_burst_and_the_refill(limit: int, steps: list[tuple[int, float]]) -> None:
    gauge, now, passed = TokenBucket(Bucket("key", "k", "tokens", limit)), NOON, 0
    for pause, share in steps:
        now += pause
        gauge.advance(now)
        amount = int(limit * share)
        if not gauge.wait_ms(now, amount):
            gauge.take(amount)
            passed += amount
        assert gauge.used < 2**53
    assert passed * 60_000 <= limit * (60_000 + now - NOON)
