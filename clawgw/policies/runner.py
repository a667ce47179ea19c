"""What the gateway calls: a policy's plan, or the configured order where the policy gives none."""

import logging
import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from attrs import define, field

from clawgw.policies.functions import PolicyFunction
from clawgw.policies.guard import PolicyFailure, run_guarded
from clawgw.policies.quarantine import Quarantine
from clawgw.policy import Plan, RequestFacts, TargetView

log = logging.getLogger(__name__)

LOG_EVERY_S = 60.0
"""Of one policy's failures, one line so often."""

OnError = Callable[[str, PolicyFailure], None]


@define
class _Conduct:
    """One policy's past. `unsaid` counts the failures since the last line of the log."""

    quarantine: Quarantine = field(factory=Quarantine)
    logged_at: float = -math.inf
    unsaid: int = 0


@define(eq=False)
class PolicyRunner:
    """The policies of one configuration, by `module:function`. For the main thread (`guard`).

    `on_error` is told of every failure; a policy that is left out after an overrun has none.
    """

    functions: Mapping[str, PolicyFunction]
    on_error: OnError
    _conducts: dict[str, _Conduct] = field(factory=dict, init=False)

    def plan(
        self,
        name: str,
        request: RequestFacts,
        targets: Sequence[TargetView],
        options: Mapping[str, Any],
        fallback: Callable[[], Plan],
        now: float,
    ) -> Plan:
        """The policy's plan, or `fallback`'s where it fails or is left out. `now`: seconds of the engine's clock."""
        conduct = self._conducts.setdefault(name, _Conduct())
        if conduct.quarantine.holds(now):
            return fallback()
        outcome = run_guarded(self.functions[name], request, targets, options)
        if isinstance(outcome, Plan):
            conduct.quarantine.went_well()
            return outcome
        if outcome.kind == "overrun":
            conduct.quarantine.overran(now)
        self.on_error(name, outcome)
        _log(name, outcome, conduct, now)
        return fallback()


def _log(name: str, failure: PolicyFailure, conduct: _Conduct, now: float) -> None:
    if now - conduct.logged_at < LOG_EVERY_S:
        conduct.unsaid += 1
        return
    more = f"; {conduct.unsaid} more failures since the last such line" if conduct.unsaid else ""
    log.warning("policy %s (%s), the configured order is used: %s%s", name, failure.kind, failure.text, more)
    conduct.logged_at, conduct.unsaid = now, 0
