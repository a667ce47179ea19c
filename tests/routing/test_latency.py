import math
from fractions import Fraction
from itertools import repeat

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clawgw.routing.latency import Latency, PeakEwma, RecentQuantiles

SECONDS = st.integers(1, 60_000).map(lambda milliseconds: milliseconds / 1000)
ENOUGH = st.lists(SECONDS, min_size=50, max_size=100)


def latency(*, answers: list[float], bounds: list[float] | None = None) -> Latency:
    """All of it at 100."""
    latency = Latency()
    for seconds in answers:
        latency.observe(seconds, 100.0)
    for seconds in bounds or []:
        latency.at_least(seconds, 100.0)
    return latency


def hundredths(first: int, last: int) -> list[float]:
    return [number / 100 for number in range(first, last + 1)]


def test_with_fewer_than_50_answers_no_quantile_is_known() -> None:
    known = latency(answers=[1.0] * 49)
    assert known.quantile(0.5, 100.0) is None
    known.observe(1.0, 100.0)
    assert known.quantile(0.5, 100.0) == 1.0


def test_quantiles_are_the_smallest_sample_that_is_as_long_as_so_many() -> None:
    known = latency(answers=hundredths(1, 100)[::-1])
    assert [known.quantile(q, 100.0) for q in (0.01, 0.5, 0.95, 0.99, 1.0)] == [0.01, 0.5, 0.95, 0.99, 1.0]


def test_rounding_moves_no_quantile() -> None:
    known = latency(answers=hundredths(1, 54))  # in floating point, 27 of them are less than half
    assert known.quantile(0.5, 100.0) == 0.27


def test_samples_count_for_a_minute() -> None:
    known = latency(answers=[1.0] * 50)
    assert known.quantile(0.5, 160.0) == 1.0
    assert known.quantile(0.5, 160.1) is None


def test_an_estimate_holds_for_a_second() -> None:
    known = latency(answers=[1.0] * 50)
    assert known.quantile(0.95, 100.0) == 1.0
    for _ in range(50):
        known.observe(3.0, 100.1)
    assert known.quantile(0.95, 100.9) == 1.0
    assert known.quantile(0.95, 101.0) == 3.0


def test_only_the_newest_1024_samples_are_kept() -> None:
    known = latency(answers=[*repeat(1.0, 2000), *repeat(2.0, 1023)])
    assert known.quantile(1 / 1024, 100.0) == 1.0
    assert known.quantile(2 / 1024, 100.0) == 2.0


def test_answers_that_were_not_waited_for_are_longer_than_their_bounds() -> None:
    # 25 answers of 100 by 1 s; 50 attempts ended at 1.5 s; the share of 0.75 that is left falls to the 25 slow answers,
    # 0.03 each: 0.25 + 8 * 0.03 is under a half, 0.25 + 9 * 0.03 over it.
    known = latency(answers=[1.0] * 25 + hundredths(201, 225), bounds=[1.5] * 50)
    assert known.quantile(0.25, 100.0) == 1.0
    assert known.quantile(0.5, 100.0) == 2.09


def test_a_target_that_loses_every_second_race_is_not_as_fast_as_when_it_wins() -> None:
    known = latency(answers=[1.0] * 50, bounds=[2.0] * 50)
    assert known.quantile(0.5, 100.0) == 1.0
    assert known.quantile(0.51, 100.0) == 2.0


def test_an_early_end_tells_nothing() -> None:
    known = latency(answers=hundredths(1, 100), bounds=[0.001] * 100)
    assert [known.quantile(q, 100.0) for q in (0.5, 0.95, 0.99)] == [0.5, 0.95, 0.99]


def test_bounds_alone_are_no_answers() -> None:
    known = latency(answers=[1.0] * 49, bounds=[2.0] * 500)
    assert known.quantile(0.5, 100.0) is None


def test_bounds_leave_the_window_too() -> None:
    known = Latency()
    for _ in range(50):
        known.at_least(9.0, 100.0)
    for _ in range(50):
        known.observe(1.0, 150.0)
    assert known.quantile(0.95, 155.0) == 9.0
    assert known.quantile(0.95, 161.0) == 1.0


@given(ENOUGH, st.integers(1, 100))
def test_without_bounds_it_is_the_nearest_rank(answers: list[float], percent: int) -> None:
    rank = -(-len(answers) * percent // 100)
    assert latency(answers=answers).quantile(percent / 100, 100.0) == sorted(answers)[rank - 1]


@given(ENOUGH, st.lists(SECONDS, max_size=50), st.integers(1, 100))
def test_a_bound_hands_its_share_to_all_that_are_longer(
    answers: list[float], bounds: list[float], percent: int
) -> None:
    """Efron's "redistribute to the right" (1967), in exact fractions: the same estimate by another way."""
    samples = sorted([(seconds, False) for seconds in answers] + [(seconds, True) for seconds in bounds])
    each, reached, expected = Fraction(1, len(samples)), Fraction(0), 0.0
    for longer, (seconds, is_bound) in zip(range(len(samples) - 1, -1, -1), samples, strict=True):
        if is_bound and longer:
            each += each / longer
        elif reached < Fraction(percent, 100):
            reached += each
            expected = seconds
    assert latency(answers=answers, bounds=bounds).quantile(percent / 100, 100.0) == expected


def test_memory_is_bounded() -> None:
    quantiles = RecentQuantiles()
    for number in range(5000):
        quantiles.add(1.0, number / 100, censored=number % 2 == 0)
    assert len(quantiles._samples) == 1024
    assert quantiles._answers == 512


def test_nothing_is_known_at_first() -> None:
    known = Latency()
    assert known.peak_ewma(100.0) is None
    assert known.quantile(0.5, 100.0) is None


def test_a_slower_answer_counts_at_once() -> None:
    peak = PeakEwma()
    peak.observe(0.5, 100.0)
    peak.observe(2.0, 100.0)
    assert peak.value(100.0) == 2.0


def test_a_faster_answer_counts_by_the_time_that_has_passed() -> None:
    peak = PeakEwma()
    peak.observe(2.0, 100.0)
    peak.observe(0.5, 100.0)
    assert peak.value(100.0) == 2.0  # no time has passed
    peak.observe(0.5, 110.0)
    assert peak.value(110.0) == pytest.approx(1.051819)  # 2 / e + 0.5 * (1 - 1 / e)


def test_the_average_fades_while_nothing_is_observed() -> None:
    peak = PeakEwma()
    peak.observe(2.0, 100.0)
    assert peak.value(110.0) == pytest.approx(0.735759)  # 2 / e
    assert peak.value(120.0) == pytest.approx(0.2706706)  # 2 / e²
    assert peak.value(1e6) == 0.0


def test_a_bound_counts_only_above_the_average() -> None:
    known = Latency()
    known.at_least(1.0, 100.0)
    assert known.peak_ewma(100.0) == 1.0
    known.at_least(0.9, 100.0)
    assert known.peak_ewma(100.0) == 1.0
    known.at_least(0.5, 110.0)  # the average has faded to 0.37
    assert known.peak_ewma(110.0) == 0.5


@given(st.lists(st.tuples(st.floats(0, 100), SECONDS, st.booleans()), min_size=1, max_size=30))
def test_the_average_is_never_below_what_was_just_seen(steps: list[tuple[float, float, bool]]) -> None:
    known, read, now = Latency(), Latency(), 0.0
    for pause, seconds, answered in steps:
        now += pause
        read.peak_ewma(now - pause / 2)
        for each in (known, read):
            (each.observe if answered else each.at_least)(seconds, now)
        value = known.peak_ewma(now)
        assert value is not None
        assert value >= seconds or math.isclose(value, seconds)
        assert value <= max(seconds for _, seconds, _ in steps)
        assert read.peak_ewma(now) == value, "reading changes nothing"
