"""From targets in order to a plan."""

from collections.abc import Sequence

from clawgw.policy import OnFailure, Plan, PlannedAttempt, Target


def failover_plan(targets: Sequence[Target], after_silence_s: float) -> Plan:
    """The first target at once, each further one when the one before has failed or is silent for too long."""
    following = OnFailure(after_silence_s)
    first, *others = targets
    return Plan([PlannedAttempt(first), *(PlannedAttempt(target, following) for target in others)])
