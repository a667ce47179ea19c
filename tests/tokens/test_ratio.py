import pytest
from hypothesis import given
from hypothesis import strategies as st

from clawgw.policy import Target
from clawgw.tokens.ratio import MAX_TARGETS, Ratio, Ratios

A, B = Target("p", "a"), Target("p", "b")


def test_before_any_report() -> None:
    assert Ratio().value == 1.0


def test_one_report() -> None:
    ratio = Ratio()
    ratio.note(2000, 3000)
    assert ratio.value == pytest.approx((980 + 3000) / (980 + 2000))


def test_a_short_prompt_teaches_little() -> None:
    ratio = Ratio()
    ratio.note(10, 100)
    assert 1.0 < ratio.value < 1.1


@pytest.mark.parametrize(("estimated", "reported"), [(0, 10), (10, 0), (-1, 10)])
def test_nothing_is_learnt_of_nothing(estimated: int, reported: int) -> None:
    ratio = Ratio()
    ratio.note(estimated, reported)
    assert ratio.value == 1.0


@given(st.floats(0.6, 1.9), st.lists(st.integers(100, 5000), min_size=8, max_size=8))
def test_what_is_steady_is_learnt(true: float, sizes: list[int]) -> None:
    ratio = Ratio()
    for size in sizes * 50:
        ratio.note(size, round(size * true))
    assert ratio.value == pytest.approx(true, rel=0.02)


@given(st.lists(st.tuples(st.integers(0, 10**7), st.integers(0, 10**7))))
def test_it_is_bounded_whatever_is_reported(reports: list[tuple[int, int]]) -> None:
    ratio = Ratio()
    for estimated, reported in reports:
        ratio.note(estimated, reported)
    assert 0.5 <= ratio.value <= 2.0


def test_what_was_wrong_is_forgotten() -> None:
    ratio = Ratio()
    ratio.note(1000, 100_000)
    for _ in range(400):
        ratio.note(1000, 1000)
    assert ratio.value == pytest.approx(1.0, rel=0.05)


def test_each_target_has_its_own() -> None:
    ratios = Ratios()
    ratios.note(A, 10_000, 20_000)
    once = ratios.value(A)
    ratios.note(A, 10_000, 20_000)
    assert ratios.value(A) > once > 1.5
    assert ratios.value(B) == 1.0


def test_the_oldest_of_too_many_is_forgotten() -> None:
    ratios = Ratios()
    for index in range(MAX_TARGETS + 1):
        ratios.note(Target("p", str(index)), 10_000, 20_000)
    assert ratios.value(Target("p", "0")) == 1.0
    assert ratios.value(Target("p", "1")) > 1.5
    assert ratios.value(Target("p", str(MAX_TARGETS))) > 1.5
