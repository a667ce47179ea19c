"""From targets in order to a plan."""

from collections.abc import Sequence

from clawgw.routing.resolve import Resolved

from clawgw.policy import OnFailure, Plan, PlannedAttempt, Target


def failover_plan(targets: Sequence[Target], resolved: Resolved) -> Plan:
    """The first target at once, each further one when the one before has failed or is silent for too long."""
    following = OnFailure(after_silence_s=resolved.failover_after_s)
    first, *others = targets
    return Plan(
        attempts=[PlannedAttempt(first), *(PlannedAttempt(target, following) for target in others)],
        max_attempts=resolved.max_attempts,
        deadline_s=resolved.deadline_s,
    )
