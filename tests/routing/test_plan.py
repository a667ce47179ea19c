import math

import pytest

from clawgw.policy import After, AtOnce, OnFailure, Plan, PlannedAttempt, Start, Target, TargetView
from clawgw.routing.plan import MOST_ATTEMPTS, failover_plan, plan_problem

A, B, C = Target("a", "m"), Target("b", "m"), Target("c", "m")


def test_failover_starts_each_target_after_the_one_before() -> None:
    assert failover_plan((A, B)) == Plan(
        [PlannedAttempt(A, AtOnce()), PlannedAttempt(B, OnFailure())], "in the configured order"
    )


@pytest.mark.parametrize("wait", [0, 0.0, 2, 2.5, 1e308, math.inf])
def test_any_duration_is_taken(wait: float) -> None:
    for start in (After(wait), OnFailure(wait), OnFailure(), AtOnce()):
        assert plan_problem(Plan([PlannedAttempt(A, start), PlannedAttempt(B, start)]), [A, B]) is None


@pytest.mark.parametrize("wait", [-0.1, math.nan, -math.inf, "1", True, 10**400, [1.0]])
def test_what_is_no_duration_is_refused(wait: float) -> None:
    for start in (After(wait), OnFailure(wait)):
        problem = plan_problem(Plan([PlannedAttempt(A), PlannedAttempt(B, start)]), [A, B])
        assert problem == "attempts[1].start: the seconds must be a number, 0 or more"


@pytest.mark.parametrize("start", [AtOnce, OnFailure, "at once", None, 3.0])
def test_a_start_that_is_none_is_refused(start: Start) -> None:
    problem = plan_problem(Plan([PlannedAttempt(A, start)]), [A])
    assert problem == "attempts[0].start: must be AtOnce(), After(seconds) or OnFailure()"


@pytest.mark.parametrize(
    ("plan", "problem"),
    [
        (None, "returned NoneType, not a Plan"),
        ([PlannedAttempt(A)], "returned list, not a Plan"),
        (Plan([]), "the plan has no attempts"),
        (Plan([PlannedAttempt(A)] * (MOST_ATTEMPTS + 1)), "the plan has 33 attempts, and at most 32 are taken"),
        (Plan([PlannedAttempt(A)], 7), "reason: must be text, not int"),  # type: ignore[arg-type]  # the mistake
        (Plan([A]), "attempts[0]: must be a PlannedAttempt, not Target"),  # type: ignore[list-item]  # the mistake
        (Plan([PlannedAttempt(A), PlannedAttempt(C)]), "attempts[1].target: c/m is not a target of the route"),
        (Plan([PlannedAttempt("a/m")]), "attempts[0].target: must be a view's target, not str"),  # type: ignore[arg-type]  # the mistake
        (Plan([PlannedAttempt(("a", "m"))]), "attempts[0].target: must be a view's target, not tuple"),  # type: ignore[arg-type]  # the mistake
        (Plan([PlannedAttempt(TargetView(A))]), "attempts[0].target: must be a view's target, not TargetView"),  # type: ignore[arg-type]  # the mistake
    ],
)
def test_what_cannot_be_run_is_named_with_its_place(plan: object, problem: str) -> None:
    assert plan_problem(plan, [A, B]) == problem


def test_a_target_may_be_planned_several_times() -> None:
    assert plan_problem(Plan([PlannedAttempt(A)] * MOST_ATTEMPTS), [A]) is None
