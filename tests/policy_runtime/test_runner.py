import logging

import pytest

from clawgw.policies.runner import PolicyRunner
from clawgw.policy import Plan, in_turn
from tests.policy_runtime.sources import FACTS, VIEWS, policy

FALLBACK = in_turn(VIEWS, "the configured order")
OWN = in_turn(VIEWS, "its own")
GOOD = "return in_turn(targets, 'its own')"
MOODY = f"if options['mood'] == 'bad': raise ValueError(request.user)\nif options['mood'] == 'slow': spin()\n{GOOD}"

Errors = list[tuple[str, str]]


@pytest.fixture
def errors() -> Errors:
    return []


@pytest.fixture
def runner(errors: Errors) -> PolicyRunner:
    functions = {"mine:route": policy(MOODY), "other:route": policy(GOOD)}
    return PolicyRunner(functions, lambda name, failure: errors.append((name, failure.kind)))


def plan(runner: PolicyRunner, mood: str, now: float = 0.0, name: str = "mine:route") -> Plan:
    return runner.plan(name, FACTS, VIEWS, {"mood": mood}, lambda: FALLBACK, now)


def test_a_good_plan_is_taken(runner: PolicyRunner, errors: Errors, caplog: pytest.LogCaptureFixture) -> None:
    assert plan(runner, "good") == OWN
    assert errors == []
    assert caplog.records == []


def test_a_failure_falls_back_and_is_counted_each_time(runner: PolicyRunner, errors: Errors) -> None:
    assert [plan(runner, mood) for mood in ("bad", "bad", "good")] == [FALLBACK, FALLBACK, OWN]
    assert errors == [("mine:route", "raised")] * 2


def test_after_an_overrun_it_is_left_out_for_a_while(runner: PolicyRunner, errors: Errors) -> None:
    assert plan(runner, "slow", 10.0) == FALLBACK
    assert plan(runner, "good", 10.9) == FALLBACK
    assert plan(runner, "good", 10.9, "other:route") == OWN
    assert plan(runner, "slow", 11.0) == FALLBACK
    assert plan(runner, "good", 12.9) == FALLBACK
    assert plan(runner, "good", 13.0) == OWN
    assert plan(runner, "slow", 14.0) == FALLBACK
    assert plan(runner, "good", 15.0) == OWN
    assert errors == [("mine:route", "overrun")] * 3


def test_one_line_a_minute_and_nothing_of_the_request(runner: PolicyRunner, caplog: pytest.LogCaptureFixture) -> None:
    for now in (0.0, 1.0, 59.0, 60.0, 61.0):
        plan(runner, "bad", now)
    line = "policy mine:route (raised), the configured order is used: policies/mine.py:5: ValueError"
    assert [record.getMessage() for record in caplog.records] == [
        line,
        f"{line}; 2 more failures since the last such line",
    ]
    assert {record.levelno for record in caplog.records} == {logging.WARNING}
