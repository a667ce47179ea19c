import logging
from collections.abc import Sequence

import pytest

from clawgw.policies.runner import PolicyRunner
from clawgw.policy import Charge, Plan, in_turn
from tests.policy_runtime.sources import FACTS, VIEWS, policy, quota

OWN = in_turn(VIEWS, "its own")
GOOD = "return in_turn(targets, 'its own')"
MOODY = f"if options['mood'] == 'bad': raise ValueError(request.user)\nif options['mood'] == 'slow': spin()\n{GOOD}"

TEAM, USER = Charge("team:search", tokens_per_minute=5), Charge("user:a-secret-user", budget_usd=0.5)
BY_TEAM = "return [Charge('team:search', tokens_per_minute=5)]"
BY_USER = "return (Charge('user:' + request.user, budget_usd=options['usd']),)"
TOO_LARGE = "return [Charge('team:search', tokens_per_minute=10**10 + 1)]"

Errors = list[tuple[str, str]]


@pytest.fixture
def errors() -> Errors:
    return []


@pytest.fixture
def runner(errors: Errors) -> PolicyRunner:
    functions = {"mine:route": policy(MOODY), "other:route": policy(GOOD)}
    return PolicyRunner(functions, lambda name, failure: errors.append((name, failure.kind)))


def plan(runner: PolicyRunner, mood: str, now: float = 0.0, name: str = "mine:route") -> Plan | None:
    return runner.plan(name, FACTS, VIEWS, {"mood": mood}, now)


def test_a_good_plan_is_taken(runner: PolicyRunner, errors: Errors, caplog: pytest.LogCaptureFixture) -> None:
    assert plan(runner, "good") == OWN
    assert errors == []
    assert caplog.records == []


def test_a_policy_has_its_targets_to_itself_and_cannot_change_its_options() -> None:
    options, views = {"mood": "good"}, [*VIEWS]
    meddling = {"p:targets": policy("targets.clear()"), "p:options": policy("options['mood'] = 'bad'")}
    runner = PolicyRunner(meddling, lambda *_: None)
    assert [runner.plan(name, FACTS, views, options, 0.0) for name in meddling] == [None, None]
    assert (options, views) == ({"mood": "good"}, VIEWS)


def test_quotas_cannot_change_the_options_that_they_share() -> None:
    runner = PolicyRunner({"p:a": quota("options.clear()"), "p:b": quota(BY_USER)}, lambda *_: None)
    assert runner.charges(["p:a", "p:b"], FACTS, {"usd": 0.5}, 0.0) == (USER,)


def test_a_failure_falls_back_and_is_counted_each_time(runner: PolicyRunner, errors: Errors) -> None:
    assert [plan(runner, mood) for mood in ("bad", "bad", "good")] == [None, None, OWN]
    assert errors == [("mine:route", "raised")] * 2


def test_after_an_overrun_it_is_left_out_for_a_while(runner: PolicyRunner, errors: Errors) -> None:
    assert plan(runner, "slow", 10.0) is None
    assert plan(runner, "good", 10.9) is None
    assert plan(runner, "good", 10.9, "other:route") == OWN
    assert plan(runner, "slow", 11.0) is None
    assert plan(runner, "good", 12.9) is None
    assert plan(runner, "good", 13.0) == OWN
    assert plan(runner, "slow", 14.0) is None
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


def charges(errors: Errors, options: dict[str, object], **bodies: str) -> Sequence[Charge]:
    """What quota policies of these bodies charge, in order."""
    runner = PolicyRunner(
        {name: quota(body) for name, body in bodies.items()}, lambda name, failure: errors.append((name, failure.kind))
    )
    return runner.charges(list(bodies), FACTS, options, 0.0)


def test_charges_of_all_quotas_are_put_together(errors: Errors, caplog: pytest.LogCaptureFixture) -> None:
    assert charges(errors, {"usd": 0.5}, team=BY_TEAM, nobody="return []", user=BY_USER) == (TEAM, USER)
    assert charges(errors, {}) == ()
    assert errors == []
    assert caplog.records == []


def test_a_quota_that_fails_charges_nothing_and_the_log_says_so(
    errors: Errors, caplog: pytest.LogCaptureFixture
) -> None:
    bodies = {"user": BY_USER, "huge": TOO_LARGE, "slow": "spin()", "team": BY_TEAM}
    assert charges(errors, {}, **bodies) == (TEAM,)
    assert errors == [("user", "raised"), ("huge", "rubbish"), ("slow", "overrun")]
    raised, rubbish, overrun = [record.getMessage() for record in caplog.records]
    assert raised == "policy user (raised), nothing is charged: policies/mine.py:4: KeyError"
    assert rubbish == (
        "policy huge (rubbish), nothing is charged:"
        " charges[0].tokens_per_minute: must be a whole number from 1 to 10000000000, or None"
    )
    assert overrun.startswith("policy slow (overrun), nothing is charged: took ")


def test_a_quota_that_overruns_is_left_out_for_a_while_and_no_other(errors: Errors) -> None:
    bodies = {"slow": f"spin() if options['slow'] else None; {BY_TEAM}", "user": BY_USER}
    functions = {name: quota(body) for name, body in bodies.items()}
    runner = PolicyRunner(functions, lambda name, failure: errors.append((name, failure.kind)))
    charged = [
        runner.charges(list(bodies), FACTS, {"slow": slow, "usd": 0.5}, now)
        for slow, now in ((True, 10.0), (False, 10.9), (False, 11.0))
    ]
    assert charged == [(USER,), (USER,), (TEAM, USER)]
    assert errors == [("slow", "overrun")]
