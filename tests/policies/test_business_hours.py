from datetime import UTC, datetime
from pathlib import Path

import pytest

from clawgw.policy import Plan
from clawgw.testing import facts, load_policy, view

route = load_policy(Path(__file__).parents[2] / "policies" / "business_hours.py")

TARGETS = [view("office/m"), view("openai/m"), view("groq/m", breaker="open")]
BERLIN = {"provider": "office", "time_zone": "Europe/Berlin", "opens": "08:00", "closes": "18:00"}


def plan_at(when: str, **options: str) -> Plan:
    now = datetime.fromisoformat(when).replace(tzinfo=UTC).timestamp()
    return route(facts(now=now), TARGETS, BERLIN | options)


def order(plan: Plan) -> list[str]:
    return [attempt.target.provider for attempt in plan.attempts]


@pytest.mark.parametrize(
    "when",
    [
        "2026-11-23T07:00:00",  # a Monday; Berlin is an hour ahead of UTC in winter
        "2026-11-27T16:59:59",  # a Friday
        "2026-07-01T06:00:00",  # a Wednesday; two hours ahead in summer
    ],
)
def test_in_business_hours_the_configured_order_holds(when: str) -> None:
    assert order(plan_at(when)) == ["office", "openai", "groq"]


@pytest.mark.parametrize(
    "when",
    [
        "2026-11-23T06:59:59",
        "2026-11-27T17:00:00",
        "2026-07-01T05:59:59",
        "2026-07-01T16:00:00",
        "2026-11-28T11:00:00",  # a Saturday
        "2026-11-22T11:00:00",  # a Sunday
        "2026-11-22T23:30:00",  # half past midnight on Monday
    ],
)
def test_outside_business_hours_the_provider_is_left_out(when: str) -> None:
    assert order(plan_at(when)) == ["openai", "groq"]


def test_hours_are_those_of_the_zone() -> None:
    at_noon_in_berlin = "2026-11-23T11:00:00"
    assert order(plan_at(at_noon_in_berlin, time_zone="America/New_York")) == ["openai", "groq"]
    plan = plan_at(at_noon_in_berlin, time_zone="Asia/Tokyo", closes="20:01")
    assert order(plan) == ["office", "openai", "groq"]
    assert plan.reason == "open: Monday 20:00 in Asia/Tokyo"


def test_a_route_without_other_providers_is_served_all_the_same() -> None:
    plan = route(facts(now=0.0), TARGETS[:1], BERLIN)
    assert order(plan) == ["office"]
    assert plan.reason == "closed: Thursday 01:00 in Europe/Berlin"
