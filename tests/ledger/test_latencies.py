from math import ceil, inf

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clawgw.ledger.histogram import packed, sum_of
from clawgw.ledger.latencies import ERROR, LEAST_MS, MOST_MS, quantiles, stored
from tests.ledger.histograms import REQUESTS, Requests, counted, histogram_of


def quantile(histogram: int, latency: str, share: float) -> float | None:
    (found,) = quantiles(packed(histogram), latency, (share,))
    return found


@given(REQUESTS, st.sampled_from([0.01, 0.5, 0.95, 1.0]))
def test_a_quantile_is_within_its_error_of_the_nearest_rank(requests: Requests, q: float) -> None:
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


def test_quantiles_of_many_of_the_same() -> None:
    histogram = 3_000_000_000 * counted(10.0, 1.0)
    assert quantile(histogram, "duration_ms", 0.5) == pytest.approx(10.0, rel=ERROR)
