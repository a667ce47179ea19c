from collections.abc import Callable
from math import ceil, inf

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clawgw.ledger.histogram import (
    ERROR,
    LEAST_MS,
    MOST_MS,
    Summing,
    packed,
    quantiles,
    stored,
    sum_of,
    unpacked,
    without,
)

MS = st.floats(LEAST_MS, MOST_MS)
REQUESTS = st.lists(st.tuples(st.one_of(st.none(), MS), st.one_of(st.none(), MS)))


def quantile(histogram: int, latency: str, share: float) -> float | None:
    (found,) = quantiles(packed(histogram), latency, (share,))
    return found


def counted(*latencies: object) -> int:
    return unpacked(stored(*latencies))


def histogram_of(requests: list[tuple[float | None, float | None]]) -> int:
    return sum(counted(*each) for each in requests)


@given(REQUESTS, st.sampled_from([0.01, 0.5, 0.95, 1.0]))
def test_a_quantile_is_within_its_error_of_the_nearest_rank(
    requests: list[tuple[float | None, float | None]], q: float
) -> None:
    for place, latency in enumerate(("duration_ms", "first_token_ms")):
        times = sorted(ms for ms in (each[place] for each in requests) if ms is not None)
        true = times[ceil(q * len(times)) - 1] if times else None
        assert quantile(histogram_of(requests), latency, q) == (true and pytest.approx(true, rel=ERROR))
        assert quantiles(sum_of(*(stored(*each) for each in requests)), latency, (q,)) == [
            quantile(histogram_of(requests), latency, q)
        ]


def test_known_quantiles() -> None:
    hundred = histogram_of([(float(ms), 10.0 * ms) for ms in range(1, 101)])
    assert quantile(hundred, "duration_ms", 0.5) == pytest.approx(50, rel=ERROR)
    assert quantile(hundred, "duration_ms", 0.95) == pytest.approx(95, rel=ERROR)
    assert quantile(hundred, "first_token_ms", 0.95) == pytest.approx(950, rel=ERROR)


def test_nothing_has_no_quantile() -> None:
    assert quantile(0, "duration_ms", 0.5) is None
    assert quantile(counted(1.0, None), "first_token_ms", 0.5) is None
    assert counted(None, "text") == 0


@pytest.mark.parametrize(("ms", "shown"), [(0.0, LEAST_MS), (-1.0, LEAST_MS), (1e12, MOST_MS), (inf, MOST_MS)])
def test_times_out_of_range_count_at_its_ends(ms: float, shown: float) -> None:
    assert quantile(counted(None, ms), "first_token_ms", 0.5) == pytest.approx(shown, rel=0.06)


@given(REQUESTS, REQUESTS)
def test_what_is_stored_is_what_was_counted_also_of_more_removed_than_added(
    added: list[tuple[float | None, float | None]], removed: list[tuple[float | None, float | None]]
) -> None:
    histogram = histogram_of(added) - histogram_of(removed)
    assert unpacked(packed(histogram)) == histogram


@given(REQUESTS, REQUESTS)
def test_sums_are_those_of_the_counts(
    some: list[tuple[float | None, float | None]], others: list[tuple[float | None, float | None]]
) -> None:
    both = sum_of(packed(histogram_of(some)), packed(histogram_of(others)))
    assert unpacked(both) == histogram_of(some + others)


@given(REQUESTS, REQUESTS)
def test_a_few_are_stored_as_a_list_and_many_as_counters(
    some: list[tuple[float | None, float | None]], others: list[tuple[float | None, float | None]]
) -> None:
    listed = sum_of(*(stored(*each) for each in some))
    assert unpacked(listed) == histogram_of(some)
    assert len(listed) <= 2 + 64 or len(listed) <= 2 + 2 * 171
    assert unpacked(sum_of(listed, packed(histogram_of(others)))) == histogram_of(some + others)


@given(REQUESTS, st.lists(REQUESTS), REQUESTS)
def test_the_aggregate_adds_and_takes_away(
    requests: list[tuple[float | None, float | None]],
    several: list[list[tuple[float | None, float | None]]],
    removed: list[tuple[float | None, float | None]],
) -> None:
    summing = Summing()
    for each in requests + removed:
        summing.step(1, stored(*each))
    for histogram in several:
        summing.step(1, packed(histogram_of(histogram)))
    for each in removed:
        summing.step(-1, stored(*each))
    assert unpacked(summing.finalize()) == histogram_of(requests) + sum(map(histogram_of, several))


@pytest.mark.parametrize("form", [bytes, lambda listed: packed(unpacked(listed))], ids=["listed", "counted"])
@given(REQUESTS, REQUESTS)
def test_what_is_taken_away_leaves_the_rest(
    form: Callable[[bytes], bytes],
    some: list[tuple[float | None, float | None]],
    others: list[tuple[float | None, float | None]],
) -> None:
    kept, gone = (sum_of(*(stored(*each) for each in requests)) for requests in (some, others))
    left = without(sum_of(kept, gone), form(gone))
    assert unpacked(left) == histogram_of(some)
    assert len(left) <= max(2 + 64, len(packed(unpacked(left))))


@pytest.mark.parametrize(("count", "bytes_each"), [(200, 1), (255, 1), (256, 4), (70_000, 4)])
def test_a_counter_takes_a_byte_while_it_can(count: int, bytes_each: int) -> None:
    one = stored(10.0, 1000.0)
    many = sum_of(*[one] * count)
    assert unpacked(many) == count * unpacked(one)
    apart = 49  # buckets from one time to the other, for 100 is about 1.1 to the power of 48.3
    assert len(many) == pytest.approx(apart * 2 * bytes_each, abs=9)
    assert unpacked(sum_of(many, one, many)) == (2 * count + 1) * unpacked(one)


def test_many_of_the_same_are_counted() -> None:
    histogram = 3_000_000_000 * counted(10.0, 1.0)
    assert unpacked(packed(histogram)) == histogram
    assert quantile(histogram, "duration_ms", 0.5) == pytest.approx(10.0, rel=ERROR)
