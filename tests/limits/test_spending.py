import pytest

from clawgw.limits.arithmetic import MAX_LIMIT, Level
from clawgw.limits.bucket import Bucket, Spent, Standing
from clawgw.limits.spending import Spending

NOON = 1_709_208_000_000
"""2024-02-29 12:00:00 UTC."""
MORNING, MIDNIGHT = NOON - 43_200_000, NOON + 43_200_000
DOLLAR = Bucket("key", "k", "usd", 1_000_000_000, "day")


def level(gauge: Spending) -> Level:
    return gauge.used, gauge.at_ms


def advanced(gauge: Spending, now_ms: int) -> Level:
    gauge.advance(now_ms)
    return level(gauge)


def test_a_budget_lasts_until_its_window_ends() -> None:
    gauge = Spending(DOLLAR)
    gauge.advance(NOON)
    assert gauge.take(NOON, 900_000_000) == Standing(DOLLAR, 100_000_000, 43_200_000)
    assert (level(gauge), gauge.unused_from_ms) == ((900_000_000, MORNING), MIDNIGHT)
    assert gauge.standing(NOON, 100_000_000) == Standing(DOLLAR, 100_000_000, 43_200_000, 0)
    assert gauge.standing(NOON, 100_000_001) == Standing(DOLLAR, 100_000_000, 43_200_000, 43_200_000)
    assert gauge.take(NOON, 100_000_001) is None
    assert advanced(gauge, MIDNIGHT - 1) == (900_000_000, MORNING)
    assert advanced(gauge, MIDNIGHT) == (0, MIDNIGHT)
    assert advanced(Spending(DOLLAR, 7, MIDNIGHT), MIDNIGHT - 5) == (7, MIDNIGHT)


@pytest.mark.parametrize(
    ("used", "at_ms", "amount", "really", "settled"),
    [
        (500, MORNING, 200, 50, 350),
        (500, MIDNIGHT, 200, 50, 500),
        (0, MORNING, 0, 10**30, MAX_LIMIT["usd"]),
    ],
)
def test_a_budget_is_settled_in_the_window_of_its_reservation_only(
    used: int, at_ms: int, amount: int, really: int, settled: int
) -> None:
    gauge = Spending(DOLLAR, used, at_ms)
    gauge.settle(amount, really, MORNING)
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
