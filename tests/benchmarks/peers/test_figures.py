import pytest
from attrs import evolve

from benchmarks.peers import figures
from benchmarks.peers.figures import Figure, Figures, Outcome, Spread, shown, times_better
from benchmarks.peers.load import Result

RESULT = Result(
    answers=2000,
    failed=0,
    left=0,
    tokens=40_000,
    seconds=4.0,
    p50_ns=1_500_000,
    p99_ns=9_000_000,
    first_p50_ns=1_250_000,
    first_p99_ns=8_000_000,
)
DIRECT = Outcome(evolve(RESULT, p50_ns=250_000, p99_ns=1_000_000, first_p50_ns=50_000), 0.0, 0.0)
OUTCOME = Outcome(RESULT, cpu_s=3.0, aside_cpu_s=0.5)


@pytest.mark.parametrize(
    ("figure", "expected"),
    [
        (figures.RATE, 500),
        (figures.EVENTS, 10_000),
        (figures.CPU, 1.5),
        (figures.ASIDE, 0.25),
        (figures.ADDED_P50, 1.25),
        (figures.ADDED_P99, 8),
        (figures.ADDED_FIRST, 1.2),
    ],
)
def test_a_figure_is_read_off_an_outcome(figure: Figure, expected: float) -> None:
    assert figure.of(OUTCOME, DIRECT) == pytest.approx(expected)


def test_latency_is_what_a_gateway_adds_in_the_same_round() -> None:
    noted = Figures()
    for p50_ns in (1_500_000, 3_500_000, 2_500_000):
        outcome = Outcome(evolve(RESULT, p50_ns=p50_ns), 3.0, 0.0)
        direct = Outcome(evolve(RESULT, p50_ns=500_000), 0.0, 0.0)
        noted.note([figures.ADDED_P50], {"no gateway": direct, "x": outcome})
    assert noted.spread(figures.ADDED_P50, "x") == Spread(2, 1, 3)
    assert noted.spread(figures.ADDED_P50, "no gateway") == Spread(0, 0, 0)


def test_without_a_direct_contender_nothing_is_taken_off() -> None:
    noted = Figures()
    noted.note([figures.ADDED_P50], {"x": OUTCOME})
    assert noted.spread(figures.ADDED_P50, "x") == Spread(1.5, 1.5, 1.5)


def test_the_middle_of_the_rounds_and_both_ends() -> None:
    assert Spread.of([5, 1, 2, 9, 3]) == Spread(3, 1, 9)
    assert str(Spread.of([5, 1, 2, 9, 3])) == "3.00 (1.00 to 9.00)"


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.1234, "0.12"), (9.99, "9.99"), (12.34, "12.3"), (123.4, "123"), (-0.5, "-0.50"), (1e6, "1000000")],
)
def test_three_digits_that_count(value: float, text: str) -> None:
    assert shown(value) == text


@pytest.mark.parametrize(
    ("figure", "ours", "theirs", "times"),
    [
        (figures.RATE, 6000, 100, 60),
        (figures.RATE, 100, 200, 0.5),
        (figures.CPU, 0.2, 1.0, 5),
        (figures.ADDED_P50, 0, 1.0, None),
        (figures.ADDED_P50, 0.1, -0.1, None),
    ],
)
def test_how_many_times_better(figure: Figure, ours: float, theirs: float, times: float | None) -> None:
    assert times_better(ours, theirs, figure) == times
