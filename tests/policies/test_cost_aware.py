from pathlib import Path
from typing import Any

import pytest

from clawgw.policy import OnFailure, RequestFacts
from clawgw.testing import facts, load_policy, simulate, view

route = load_policy(Path(__file__).parents[2] / "policies" / "cost_aware.py")

# For 1000 tokens of prompt and 1000 of answer: $0.0009, $0.0060 and $0.0180.
SMALL = view("small/m", input_price=0.1, output_price=0.8)
MIDDLE = view("middle/m", input_price=1.0, output_price=5.0)
LARGE = view("large/m", input_price=3.0, output_price=15.0)
UNPRICED = view("unpriced/m")
TARGETS = [LARGE, UNPRICED, MIDDLE, SMALL]


def request(**known: Any) -> RequestFacts:
    return facts(estimated_tokens=1000, max_tokens=1000, **known)


def order(asked: RequestFacts, ceiling_usd: float) -> list[str]:
    return [attempt.target.provider for attempt in route(asked, TARGETS, {"ceiling_usd": ceiling_usd}).attempts]


def test_the_cheapest_under_the_ceiling_comes_first_and_what_is_dearer_last() -> None:
    assert order(request(), 0.01) == ["small", "middle", "large", "unpriced"]


@pytest.mark.parametrize("wish", [{"tools": 1}, {"metadata": {"quality": "high"}}])
def test_tools_and_a_wish_for_quality_begin_with_the_best_under_the_ceiling(wish: dict[str, Any]) -> None:
    assert order(request(**wish), 0.01) == ["middle", "small", "large", "unpriced"]
    assert order(request(**wish), 0.02) == ["large", "middle", "small", "unpriced"]


def test_the_ceiling_includes_what_costs_just_as_much() -> None:
    assert order(request(tools=1), 0.006)[0] == "middle"
    assert order(request(tools=1), 0.0059)[0] == "small"


def test_with_nothing_under_the_ceiling_the_least_dear_is_taken() -> None:
    plan = route(request(), TARGETS, {"ceiling_usd": 0.0001})
    assert [attempt.target.provider for attempt in plan.attempts] == ["small", "middle", "large", "unpriced"]
    assert plan.reason == "the cheapest of 0 under $0.0001, then 4 dearer"


def test_over_the_ceiling_only_after_failures() -> None:
    plan = route(request(), [SMALL, LARGE], {"ceiling_usd": 0.01})
    assert simulate(plan, {"small/m": (9.0, "ok"), "large/m": (1.0, "ok")}).winner == "small/m"
    went = simulate(plan, {"small/m": (9.0, "fail"), "large/m": (1.0, "ok")})
    assert went.started == [("small/m", 0.0, "primary"), ("large/m", 9.0, "failover")]


def test_under_the_ceiling_silence_is_enough() -> None:
    plan = route(request(), [SMALL, MIDDLE], {"ceiling_usd": 0.01})
    assert plan.attempts[1].start == OnFailure()


def test_an_unavailable_target_comes_last_on_its_side_of_the_ceiling() -> None:
    resting = view("small/m", input_price=0.1, output_price=0.8, breaker="open")
    plan = route(request(), [LARGE, MIDDLE, resting], {"ceiling_usd": 0.01})
    assert [attempt.target.provider for attempt in plan.attempts] == ["middle", "small", "large"]
