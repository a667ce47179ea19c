from collections.abc import Sequence
from pathlib import Path

import pytest

from clawgw.policy import TargetView
from clawgw.testing import facts, load_policy, simulate, view

route = load_policy(Path(__file__).parents[2] / "policies" / "canary.py")

TARGETS = [view("a/m"), view("b/m"), view("new/m")]


def order(random: float, targets: Sequence[TargetView] = TARGETS, share: float = 0.05) -> list[str]:
    plan = route(facts(random=random), targets, {"canary": "new/m", "share": share})
    return [attempt.target.provider for attempt in plan.attempts]


def test_the_canary_gets_its_share() -> None:
    firsts = [order((step + 0.5) / 1000)[0] for step in range(1000)]
    assert (firsts.count("new"), firsts.count("a")) == (50, 950)


def test_the_others_stand_behind_the_canary_and_are_without_it_otherwise() -> None:
    assert order(0.0499) == ["new", "a", "b"]
    assert order(0.05) == ["a", "b"]
    assert order(0.0, share=0.0) == ["a", "b"]
    assert order(0.999, share=1.0) == ["new", "a", "b"]


def test_a_canary_that_fails_costs_no_answer() -> None:
    plan = route(facts(random=0.0), TARGETS, {"canary": "new/m", "share": 0.05})
    went = simulate(plan, {"new/m": (0.1, "fail"), "a/m": (0.5, "ok"), "b/m": (0.5, "ok")})
    assert (went.winner, went.at_s) == ("a/m", 0.6)


def test_an_unavailable_canary_gets_nothing() -> None:
    resting = [view("a/m", cooling_s=3.0), view("b/m"), view("new/m", breaker="open")]
    assert order(0.0, resting) == ["b", "a"]


def test_a_route_with_nothing_but_a_canary_is_served_all_the_same() -> None:
    assert order(0.9, TARGETS[2:]) == ["new"]


def test_a_canary_that_the_route_does_not_have_is_a_mistake_that_shows() -> None:
    with pytest.raises(ValueError, match="'new/m' is not in list"):
        order(0.9, TARGETS[:2])
