from collections.abc import Callable
from functools import partial

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule

from clawgw.config.settings import Settings
from clawgw.config.tables.attempts import Hedge, Retry, Silence
from clawgw.policy import Trigger
from clawgw.routing.budget import Budgets, RatioBudget
from clawgw.routing.recent import RecentCount


def spent(spend: Callable[[float], bool], now: float) -> int:
    """How many can be taken until there are none left."""
    return next(taken for taken in range(10_000) if not spend(now))


def spent_of_each(budgets: Budgets, now: float) -> dict[Trigger, int]:
    triggers: tuple[Trigger, ...] = ("retry", "hedge", "silence")
    return {trigger: spent(partial(budgets.spend, trigger), now) for trigger in triggers}


@pytest.mark.parametrize(
    ("ratio", "requests", "allowed"),
    [
        (0.2, 0, 3),  # the floor
        (0.2, 19, 3),
        (0.2, 20, 4),
        (0.2, 100, 20),
        (0.05, 79, 3),
        (0.05, 80, 4),
        (0.29, 100, 29),  # 28.999999999999996 in floating point
        (1.0, 7, 7),
        (0.0, 100, 0),  # switched off: no floor either
    ],
)
def test_a_share_of_the_requests_and_at_least_the_floor(ratio: float, requests: int, allowed: int) -> None:
    budget = RatioBudget(ratio, RecentCount(window_s=10.0), floor=3)
    for _ in range(requests):
        budget.requests.add(100.0)
    assert spent(budget.spend, 100.0) == allowed


def test_what_was_spent_comes_back_when_the_window_has_passed() -> None:
    budget = RatioBudget(0.2, RecentCount(window_s=10.0), floor=3)
    assert spent(budget.spend, 100.0) == 3
    assert spent(budget.spend, 109.9) == 0
    assert spent(budget.spend, 110.0) == 3


def test_requests_count_only_while_they_are_in_the_window() -> None:
    budget = RatioBudget(0.2, RecentCount(window_s=10.0), floor=0)
    for _ in range(50):
        budget.requests.add(100.0)
    assert budget.spend(109.9)
    assert not budget.spend(110.0)


def test_hedging_every_request_sends_at_most_6_percent_more() -> None:
    budgets = Budgets.of(Settings())
    hedged = 0
    for request in range(2000):
        budgets.note_request(request / 10)
        hedged += budgets.spend("hedge", request / 10)
    assert 0.04 * 2000 <= hedged <= 0.06 * 2000


def test_the_configuration_says_the_ratios() -> None:
    settings = Settings(retry=Retry(budget_ratio=0.5), hedge=Hedge(budget_ratio=0.25), silence=Silence(budget_ratio=0))
    budgets = Budgets.of(settings)
    for _ in range(100):
        budgets.note_request(100.0)
    assert spent_of_each(budgets, 109.0) == {"retry": 50, "hedge": 25, "silence": 0}


@pytest.mark.parametrize(
    ("now", "allowed"),
    [(60.0, [20, 5, 10]), (69.9, [20, 5, 10]), (70.0, [3, 5, 10]), (119.9, [3, 5, 10]), (120.0, [3, 3, 3])],
)
def test_retries_are_counted_over_10_seconds_the_others_over_60(now: float, allowed: list[int]) -> None:
    budgets = Budgets.of(Settings())
    for _ in range(100):
        budgets.note_request(60.0)
    assert list(spent_of_each(budgets, now).values()) == allowed


class BudgetMachine(RuleBasedStateMachine):
    """Against two lists of everything that has ever happened. Time in quarters of a second, buckets of one second."""

    def __init__(self) -> None:
        super().__init__()
        self.budget = RatioBudget(0.2, RecentCount(window_s=10.0), floor=2)
        self.now = 0
        self.requests: list[int] = []
        self.spent: list[int] = []

    def recent(self, events: list[int]) -> int:
        return sum(self.now // 4 - event // 4 < 10 for event in events)

    @rule(quarters=st.integers(1, 50))
    def wait(self, quarters: int) -> None:
        self.now += quarters

    @rule(requests=st.integers(1, 12))
    def note(self, requests: int) -> None:
        for _ in range(requests):
            self.budget.requests.add(self.now / 4)
            self.requests.append(self.now)

    @rule()
    def spend(self) -> None:
        after = self.recent(self.spent) + 1
        allowed = after <= 2 or 5 * after <= self.recent(self.requests)
        assert self.budget.spend(self.now / 4) is allowed
        if allowed:
            self.spent.append(self.now)


TestBudgetMachine = BudgetMachine.TestCase
