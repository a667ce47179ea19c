from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clawgw.ledger.histogram import Summing, packed, sum_of, unpacked, without
from clawgw.ledger.latencies import stored
from tests.ledger.histograms import REQUESTS, Requests, counted, histogram_of


@given(REQUESTS, REQUESTS)
def test_what_is_stored_is_what_was_counted_also_of_more_removed_than_added(added: Requests, removed: Requests) -> None:
    histogram = histogram_of(added) - histogram_of(removed)
    assert unpacked(packed(histogram)) == histogram


@given(REQUESTS, REQUESTS)
def test_sums_are_those_of_the_counts(some: Requests, others: Requests) -> None:
    both = sum_of(packed(histogram_of(some)), packed(histogram_of(others)))
    assert unpacked(both) == histogram_of(some + others)


@given(REQUESTS, REQUESTS)
def test_a_few_are_stored_as_a_list_and_many_as_counters(some: Requests, others: Requests) -> None:
    listed = sum_of(*(stored(*each) for each in some))
    assert unpacked(listed) == histogram_of(some)
    assert len(listed) <= 2 + 64 or len(listed) <= 2 + 2 * 171
    assert unpacked(sum_of(listed, packed(histogram_of(others)))) == histogram_of(some + others)


@given(REQUESTS, st.lists(REQUESTS), REQUESTS)
def test_the_aggregate_adds_and_takes_away(
    requests: Requests,
    several: list[Requests],
    removed: Requests,
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
    some: Requests,
    others: Requests,
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
