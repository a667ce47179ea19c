import pytest
from hypothesis import given
from hypothesis import strategies as st

from clawgw.limits.arithmetic import MAX_LIMIT, SET_BACK_MS, Level
from clawgw.limits.bucket import Bucket, Kind, Standing
from clawgw.limits.token_bucket import TokenBucket

NOON = 1_709_208_000_000
TEN = Bucket("key", "k", "requests", 10)


def level(gauge: TokenBucket) -> Level:
    return gauge.used, gauge.at_ms


def advanced(gauge: TokenBucket, now_ms: int) -> Level:
    gauge.advance(now_ms)
    return level(gauge)


def wait_ms(gauge: TokenBucket, now_ms: int, amount: int) -> int:
    return gauge.standing(now_ms, amount).wait_ms


def test_a_bucket_of_ten_a_minute_gives_one_every_six_seconds() -> None:
    gauge = TokenBucket(TEN)
    gauge.advance(NOON)
    assert gauge.take(NOON, 10) == Standing(TEN, 0, 60_000)
    assert level(gauge) == (600_000, NOON)
    assert gauge.standing(NOON, 1) == Standing(TEN, 0, 60_000, 6_000)
    gauge.advance(NOON + 5_999)
    assert gauge.standing(NOON + 5_999, 1) == Standing(TEN, 0, 54_001, 1)
    gauge.advance(NOON + 6_000)
    assert gauge.standing(NOON + 6_000, 1) == Standing(TEN, 1, 54_000, 0)
    gauge.advance(NOON + 60_000)
    assert gauge.standing(NOON + 60_000) == Standing(TEN, 10, 0, 0)


def test_what_is_not_there_is_not_taken() -> None:
    gauge = TokenBucket(TEN, 240_000, NOON)
    assert gauge.take(NOON, 7) is None
    assert level(gauge) == (240_000, NOON)
    assert gauge.take(NOON, 6) == Standing(TEN, 0, 60_000)
    assert TokenBucket(TEN, 0, NOON).take(NOON - 5, 0) == Standing(TEN, 10, 0)


@pytest.mark.parametrize(
    ("used", "settled", "wait"), [(0, 0, 0), (4, 240_000, 0), (15, 900_000, 36_000), (99, 1_200_000, 66_000)]
)
def test_settling_gives_back_or_goes_into_debt_of_one_limit_at_most(used: int, settled: int, wait: int) -> None:
    gauge = TokenBucket(TEN, 600_000, NOON)
    gauge.settle(10, used, NOON - 5)
    assert level(gauge) == (settled, NOON)
    assert wait_ms(gauge, NOON, 1) == wait


def test_settling_gives_back_no_more_than_is_used() -> None:
    gauge = TokenBucket(TEN, 60_000, NOON)
    gauge.settle(10, 0, NOON)
    assert level(gauge) == (0, NOON)


def test_what_is_charged_says_from_when_on_it_will_have_drained() -> None:
    gauge = TokenBucket(TEN, 1_000, NOON)
    gauge.take(NOON, 1)
    assert gauge.unused_from_ms == NOON + 6_100
    gauge.settle(1, 3, NOON)
    assert gauge.unused_from_ms == NOON + 18_100
    gauge.settle(3, 0, NOON)
    assert gauge.unused_from_ms == NOON + 100
    gauge.settle(1, 0, NOON)
    assert gauge.unused_from_ms == NOON


def test_a_debt_leaves_nothing() -> None:
    assert TokenBucket(TEN, 1_200_000, NOON).standing(NOON) == Standing(TEN, 0, 120_000, 60_000)


def test_another_limit_acts_on_the_same_state() -> None:
    more, less = Bucket("key", "k", "requests", 100), Bucket("key", "k", "requests", 2)
    assert TokenBucket(more, 600_000, NOON).standing(NOON).remaining == 90
    gauge = TokenBucket(less, 600_000, NOON)
    assert advanced(gauge, NOON) == (240_000, NOON)
    assert advanced(TokenBucket(less, *advanced(gauge, NOON + 7)), NOON + 90) == (240_000 - 90 * 2, NOON + 90)


@pytest.mark.parametrize(
    ("used", "passed_ms", "really", "settled"),
    [
        (100, 6_000, 2, 100 * 60_000 - 60_000 - 3 * 60_000),
        (100, 6_000, 9, 100 * 60_000 - 60_000),
        (30, 150_000, 4, 30 * 60_000 - 1_500_000 - 60_000),
        (30, 180_000, 9, 4 * 60_000),
    ],
)
def test_a_reservation_of_before_the_limit_was_raised_forgives_nothing(
    used: int, passed_ms: int, really: int, settled: int
) -> None:
    """What has been taken since may be more than twice the old limit."""
    gauge = TokenBucket(TEN, used * 60_000, NOON)
    gauge.advance(NOON + passed_ms)
    gauge.settle(5, really, NOON)
    assert level(gauge) == (settled, NOON + passed_ms)


def test_nothing_ever_passes_a_limit_of_nothing() -> None:
    gauge = TokenBucket(Bucket("key", "k", "requests", 0))
    gauge.advance(NOON)
    assert gauge.take(NOON, 1) is None
    assert wait_ms(gauge, NOON, 1) > 0
    assert wait_ms(gauge, NOON, 0) == 0


def test_a_clock_that_is_a_little_behind_refills_nothing_twice() -> None:
    gauge = TokenBucket(TEN, 600_000, NOON)
    assert advanced(gauge, NOON - SET_BACK_MS) == (600_000, NOON)
    assert wait_ms(gauge, NOON - 100, 1) == 6_100


def test_after_a_clock_was_set_back_a_full_bucket_does_not_refuse_until_that_time_has_come_again() -> None:
    assert advanced(TokenBucket(TEN, 600_000, NOON), NOON - SET_BACK_MS - 1) == (0, NOON - SET_BACK_MS - 1)


FLOWING: st.SearchStrategy[Kind] = st.sampled_from(["requests", "tokens"])
LIMITS = st.one_of(st.integers(1, 100), st.integers(1, MAX_LIMIT["tokens"]))


@given(FLOWING, LIMITS, st.data())
def test_what_one_waits_for_is_there_then_and_not_before(kind: Kind, limit: int, data: st.DataObject) -> None:
    bucket, used = Bucket("key", "k", kind, limit), data.draw(st.integers(0, 2 * limit * 60_000))
    amount = data.draw(st.integers(0, limit))

    def wait_after(passed_ms: int) -> int:
        gauge, now_ms = TokenBucket(bucket, used, NOON), NOON + passed_ms
        gauge.advance(now_ms)
        wait = wait_ms(gauge, now_ms, amount)
        assert (gauge.take(now_ms, amount) is None) == (wait > 0)
        return wait

    wait = wait_after(0)
    assert not wait_after(wait)
    assert not wait or wait_after(wait - 1) == 1


@given(LIMITS, st.integers(0, 10**15), st.data())
def test_whoever_takes_is_told_how_the_bucket_stands_then(limit: int, used: int, data: st.DataObject) -> None:
    gauge, amount = TokenBucket(Bucket("key", "k", "tokens", limit), used, NOON), data.draw(st.integers(0, limit))
    now_ms = NOON + data.draw(st.integers(-60_000, 120_000))
    gauge.advance(now_ms)
    told = gauge.take(now_ms, amount)
    assert told in {None, gauge.standing(now_ms)}


@given(LIMITS, st.lists(st.tuples(st.integers(0, 90_000), st.floats(0, 1)), max_size=20))
def test_no_more_passes_than_a_burst_and_the_refill(limit: int, steps: list[tuple[int, float]]) -> None:
    gauge, now, passed = TokenBucket(Bucket("key", "k", "tokens", limit)), NOON, 0
    for pause, share in steps:
        now += pause
        gauge.advance(now)
        amount = int(limit * share)
        if gauge.take(now, amount) is not None:
            passed += amount
        assert gauge.used < 2**53
    assert passed * 60_000 <= limit * (60_000 + now - NOON)
