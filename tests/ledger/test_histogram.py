from math import ceil, inf

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clawgw.ledger.histogram import ERROR, LEAST_MS, MOST_MS, Summing, counted, packed, quantile, sum_of, unpacked

TIMES = st.floats(LEAST_MS, MOST_MS)


def histogram_of(times: list[float]) -> int:
    return sum(map(counted, times))


@given(st.lists(TIMES, min_size=1), st.sampled_from([0.01, 0.5, 0.95, 1.0]))
def test_a_quantile_is_within_its_error_of_the_nearest_rank(times: list[float], q: float) -> None:
    true = sorted(times)[ceil(q * len(times)) - 1]
    assert quantile(histogram_of(times), q) == pytest.approx(true, rel=ERROR)


def test_known_quantiles() -> None:
    hundred = histogram_of([float(ms) for ms in range(1, 101)])
    assert quantile(hundred, 0.5) == pytest.approx(50, rel=ERROR)
    assert quantile(hundred, 0.95) == pytest.approx(95, rel=ERROR)


def test_nothing_has_no_quantile() -> None:
    assert quantile(0, 0.5) is None


@pytest.mark.parametrize(("ms", "shown"), [(0.0, LEAST_MS), (-1.0, LEAST_MS), (1e12, MOST_MS), (inf, MOST_MS)])
def test_times_out_of_range_count_at_its_ends(ms: float, shown: float) -> None:
    assert quantile(counted(ms), 0.5) == pytest.approx(shown, rel=0.06)


@given(st.lists(TIMES), st.lists(TIMES))
def test_what_is_stored_is_what_was_counted_also_of_more_removed_than_added(
    added: list[float], removed: list[float]
) -> None:
    histogram = histogram_of(added) - histogram_of(removed)
    assert unpacked(packed(histogram)) == histogram


@given(st.lists(TIMES), st.lists(TIMES))
def test_sums_are_those_of_the_counts(some: list[float], others: list[float]) -> None:
    both = sum_of(packed(histogram_of(some)), packed(histogram_of(others)))
    assert unpacked(both) == histogram_of(some + others)


@given(st.lists(st.one_of(st.none(), st.just("text"), TIMES)), st.lists(st.lists(TIMES)))
def test_the_aggregate_takes_times_and_histograms(times: list[float | str | None], stored: list[list[float]]) -> None:
    summing = Summing()
    for time in times:
        summing.step(time, 1)
    for each in stored:
        summing.step(packed(histogram_of(each)), 1)
    summing.step(7.0, 1)
    summing.step(packed(counted(7.0)), -1)
    told = [time for time in times if isinstance(time, float)] + [time for each in stored for time in each]
    assert unpacked(summing.finalize()) == histogram_of(told)


def test_many_of_the_same_are_counted() -> None:
    histogram = 3_000_000_000 * counted(10.0)
    assert unpacked(packed(histogram)) == histogram
    assert quantile(histogram, 0.5) == pytest.approx(10.0, rel=ERROR)
