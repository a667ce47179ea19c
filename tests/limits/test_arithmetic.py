from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clawgw.limits import arithmetic
from clawgw.limits.arithmetic import LEASE_TICK_MS, MAX_LIMIT, SET_BACK_MS, UNUSED, Level, level_at, take, wait_ms
from clawgw.limits.bucket import Bucket, Kind, Spent, Standing, Window
from clawgw.limits.store import LEASE_MS, RENEW_MS

NOON = 1_709_208_000_000
"""2024-02-29 12:00:00 UTC."""
TEN = Bucket("key", "k", "requests", 10)
DOLLAR = Bucket("key", "k", "usd", 1_000_000_000, "day")
PLACES = Bucket("key", "k", "concurrent", 3)


def ms(*when: int) -> int:
    return int(datetime(*when, tzinfo=UTC).timestamp() * 1000)  # type: ignore[arg-type, misc] # year, month, day, …


def test_a_bucket_of_ten_a_minute_gives_one_every_six_seconds() -> None:
    empty = take(TEN, level_at(TEN, UNUSED, NOON), 10)
    assert empty == Level(600_000, NOON)
    assert arithmetic.standing(TEN, empty, NOON, 1) == Standing(TEN, 0, 60_000, 6_000)
    later = level_at(TEN, empty, NOON + 5_999)
    assert arithmetic.standing(TEN, later, NOON + 5_999, 1) == Standing(TEN, 0, 54_001, 1)
    later = level_at(TEN, later, NOON + 6_000)
    assert arithmetic.standing(TEN, later, NOON + 6_000, 1) == Standing(TEN, 1, 54_000, 0)
    assert arithmetic.standing(TEN, level_at(TEN, later, NOON + 60_000), NOON + 60_000) == Standing(TEN, 10, 0, 0)


@pytest.mark.parametrize(
    ("used", "level", "wait"), [(0, 0, 0), (4, 240_000, 0), (15, 900_000, 36_000), (99, 1_200_000, 66_000)]
)
def test_settling_gives_back_or_goes_into_debt_of_one_limit_at_most(used: int, level: int, wait: int) -> None:
    settled = arithmetic.settle(TEN, Level(600_000, NOON), 10, used, NOON - 5)
    assert settled == Level(level, NOON)
    assert wait_ms(TEN, settled, NOON, 1) == wait


def test_settling_gives_back_no_more_than_is_used() -> None:
    assert arithmetic.settle(TEN, Level(60_000, NOON), 10, 0, NOON) == Level(0, NOON)


def test_another_limit_acts_on_the_same_state() -> None:
    level, more, less = Level(600_000, NOON), Bucket("key", "k", "requests", 100), Bucket("key", "k", "requests", 2)
    assert arithmetic.standing(more, level_at(more, level, NOON), NOON).remaining == 90
    assert level_at(less, level, NOON) == Level(240_000, NOON)
    assert level_at(less, level_at(less, level, NOON + 7), NOON + 90) == level_at(less, level, NOON + 90)


def test_nothing_ever_passes_a_limit_of_nothing() -> None:
    none = Bucket("key", "k", "requests", 0)
    assert wait_ms(none, level_at(none, UNUSED, NOON), NOON, 1) > 0
    assert wait_ms(none, level_at(none, UNUSED, NOON), NOON, 0) == 0


def test_a_clock_that_is_a_little_behind_refills_nothing_twice() -> None:
    level = level_at(TEN, Level(600_000, NOON), NOON - SET_BACK_MS)
    assert level == Level(600_000, NOON)
    assert wait_ms(TEN, level, NOON - 100, 1) == 6_100


def test_after_a_clock_was_set_back_a_full_bucket_does_not_refuse_until_that_time_has_come_again() -> None:
    assert level_at(TEN, Level(600_000, NOON), NOON - SET_BACK_MS - 1) == Level(0, NOON - SET_BACK_MS - 1)


def test_a_budget_lasts_until_its_window_ends() -> None:
    level = take(DOLLAR, level_at(DOLLAR, UNUSED, NOON), 900_000_000)
    assert level == Level(900_000_000, ms(2024, 2, 29))
    assert arithmetic.standing(DOLLAR, level, NOON, 100_000_000) == Standing(DOLLAR, 100_000_000, 43_200_000, 0)
    assert arithmetic.standing(DOLLAR, level, NOON, 100_000_001) == Standing(
        DOLLAR, 100_000_000, 43_200_000, 43_200_000
    )
    midnight = ms(2024, 3, 1)
    assert level_at(DOLLAR, level, midnight - 1) == level
    assert level_at(DOLLAR, level, midnight) == Level(0, midnight)
    assert level_at(DOLLAR, Level(7, midnight), midnight - 5) == Level(7, midnight)


def test_a_budget_is_settled_in_the_window_of_its_reservation_only() -> None:
    today, tomorrow = ms(2024, 2, 29), ms(2024, 3, 1)
    assert arithmetic.settle(DOLLAR, Level(500, today), 200, 50, today) == Level(350, today)
    assert arithmetic.settle(DOLLAR, Level(500, tomorrow), 200, 50, today) == Level(500, tomorrow)
    assert arithmetic.settle(DOLLAR, Level(0, today), 0, 10**30, today) == Level(MAX_LIMIT["usd"], today)


def test_a_seed_is_the_least_that_was_spent() -> None:
    assert arithmetic.seed(Level(5, NOON), Spent(7, NOON)) == Level(7, NOON)
    assert arithmetic.seed(Level(9, NOON), Spent(7, NOON)) == Level(9, NOON)
    assert arithmetic.seed(Level(9, NOON), Spent(10**30, NOON)) == Level(MAX_LIMIT["usd"], NOON)


def test_a_seed_is_of_one_window() -> None:
    assert arithmetic.seed(Level(5, NOON), Spent(7, NOON - 3_600_000)) == Level(5, NOON)


def test_places_know_neither_time_nor_end() -> None:
    assert level_at(PLACES, Level(2, 0), NOON) == Level(2, 0)
    assert arithmetic.standing(PLACES, Level(2, 0), NOON, 1) == Standing(PLACES, 1, 0, 0)
    assert arithmetic.standing(PLACES, Level(3, 0), NOON, 1) == Standing(PLACES, 0, 0, 1_000)


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
    bucket = Bucket("key", "k", kind, limit)
    level = Level(data.draw(st.integers(0, 2 * limit * 60_000)), NOON)
    amount = data.draw(st.integers(0, limit))
    wait = wait_ms(bucket, level, NOON, amount)
    assert not wait_ms(bucket, level_at(bucket, level, NOON + wait), NOON + wait, amount)
    assert not wait or wait_ms(bucket, level_at(bucket, level, NOON + wait - 1), NOON + wait - 1, amount) == 1


@given(LIMITS, st.lists(st.tuples(st.integers(0, 90_000), st.floats(0, 1)), max_size=20))
def test_no_more_passes_than_a_burst_and_the_refill(limit: int, steps: list[tuple[int, float]]) -> None:
    bucket, level, now, passed = Bucket("key", "k", "tokens", limit), UNUSED, NOON, 0
    for pause, share in steps:
        now += pause
        level, amount = level_at(bucket, level, now), int(limit * share)
        if not wait_ms(bucket, level, now, amount):
            level = take(bucket, level, amount)
            passed += amount
        assert level.used < 2**53
    assert passed * 60_000 <= limit * (60_000 + now - NOON)
