"""From targets in order to a plan, and what a plan must be."""

import math
import sys
from collections.abc import Sequence
from functools import lru_cache

from clawgw.policy import After, AtOnce, OnFailure, Plan, PlannedAttempt, Target

MOST_ATTEMPTS = 32
"""More of them in one plan are a mistake: a request would never get there."""
CONFIGURED_ORDER = "in the configured order"
"""The reason of a plan for which nothing is decided."""


@lru_cache(maxsize=1024)
def failover_plan(targets: tuple[Target, ...]) -> Plan:
    """The first target at once, each further one when the one before has failed or is silent for too long."""
    first, *others = targets
    following = [PlannedAttempt(target, OnFailure()) for target in others]
    return Plan([PlannedAttempt(first), *following], CONFIGURED_ORDER)


def plan_problem(plan: object, targets: Sequence[Target]) -> str | None:
    """Why what a policy returned cannot be run with the route's `targets`; None: it can.

    What the first attempt's start says does not matter: it starts at once. A target may be planned several times.
    """
    if not isinstance(plan, Plan):
        return f"returned {type(plan).__name__}, not a Plan"
    if not plan.attempts:
        return "the plan has no attempts"
    if len(plan.attempts) > MOST_ATTEMPTS:
        return f"the plan has {len(plan.attempts)} attempts, and at most {MOST_ATTEMPTS} are taken"
    if not isinstance(plan.reason, str):
        return f"reason: must be text, not {type(plan.reason).__name__}"
    for index, attempt in enumerate(plan.attempts):
        if problem := _attempt_problem(attempt, targets):
            return f"attempts[{index}]{problem}"
    return None


def _attempt_problem(attempt: object, targets: Sequence[Target]) -> str | None:
    if not isinstance(attempt, PlannedAttempt):
        return f": must be a PlannedAttempt, not {type(attempt).__name__}"
    if not isinstance(attempt.target, Target):  # a tuple is equal to a target of the same names
        return f".target: must be a view's target, not {type(attempt.target).__name__}"
    if attempt.target not in targets:
        return f".target: {attempt.target} is not a target of the route"
    problem = _start_problem(attempt.start)
    return problem and f".start: {problem}"


def _start_problem(start: object) -> str | None:
    match start:
        case AtOnce() | OnFailure(after_silence_s=None):
            return None
        case After(seconds=wait) | OnFailure(after_silence_s=wait):
            return None if _is_duration(wait) else "the seconds must be a number, 0 or more"
        case _:
            return "must be AtOnce(), After(seconds) or OnFailure()"


def _is_duration(value: object) -> bool:
    if not isinstance(value, int | float) or isinstance(value, bool):
        return False
    return 0 <= value <= sys.float_info.max or value == math.inf
