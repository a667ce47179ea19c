import math

import pytest

from clawgw.config.tables.attempts import Retry
from clawgw.policy import After, AtOnce, OnFailure, Plan, PlannedAttempt, Start, Target
from clawgw.routing.schedule import Schedule, Step
from clawgw.wire.failure import Failure, Kind

A, B, C = Target("a", "m"), Target("b", "m"), Target("c", "m")


def schedule(*starts: Start, max_attempts: int = 3, deadline: float = 600.0) -> Schedule:
    attempts = [PlannedAttempt(target, start) for target, start in zip((A, B, C), (AtOnce(), *starts), strict=False)]
    made = Schedule(Plan(attempts), Retry(), max_attempts, deadline, lambda: 0.5, lambda _trigger, _now: True)
    assert made.begin(0.0) == [Step(A, "primary", 0.0)]
    return made


@pytest.mark.parametrize(
    ("start", "due"),
    [
        (After(2.0), Step(B, "hedge", 3.0)),
        (OnFailure(4.0), Step(B, "silence", 5.0)),
        (OnFailure(), None),
        (OnFailure(math.inf), None),
        (After(600.0), None),
    ],
)
def test_what_may_join_and_when(start: Start, due: Step | None) -> None:
    assert schedule(start).due(1.0) == due


def test_a_silence_that_the_plan_does_not_name_is_that_of_the_target_that_is_waited_for() -> None:
    plan = Plan(
        [
            PlannedAttempt(A),
            PlannedAttempt(B, OnFailure()),
            PlannedAttempt(C, OnFailure(7.0)),
            PlannedAttempt(A, OnFailure()),
        ]
    )
    silence_s = {A: 4.0, B: 5.0, C: 6.0}.__getitem__
    made = Schedule(plan, Retry(), 9, 600.0, lambda: 0.5, lambda _trigger, _now: True, silence_s)
    made.begin(0.0)
    joined = []
    while due := made.due(10.0):
        joined.append((due.target, due.trigger, due.at))
        assert made.join(due, due.at, running=1) is not None
    assert joined == [(B, "silence", 14.0), (C, "silence", 17.0), (A, "silence", 16.0)]


def test_nothing_joins_the_last_attempt_that_is_allowed() -> None:
    assert schedule(After(1.0), max_attempts=1).due(0.0) is None


def test_a_step_that_something_else_has_started_meanwhile_does_not_join() -> None:
    made = schedule(After(1.0), After(1.0))
    due = made.due(0.0)
    assert due is not None
    assert made.on_failure(A, Failure(Kind.SERVER, ""), 0.5, running=0, other_key=False) == Step(B, "failover", 0.5)
    assert made.join(due, 1.0, running=1) is None


def test_a_throttled_key_is_followed_by_another_target_and_after_the_last_by_another_key() -> None:
    made, throttled = schedule(OnFailure()), Failure(Kind.RATE_LIMITED, "", retry_after_s=5.0)
    assert made.on_failure(A, throttled, 1.0, running=0, other_key=True) == Step(B, "failover", 1.0)
    assert made.on_failure(B, throttled, 2.0, running=0, other_key=True) == Step(B, "retry", 2.0)
