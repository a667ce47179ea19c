"""What the gateway calls: policies decide, and where one fails the gateway goes on without it."""

import logging
import math
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from types import MappingProxyType
from typing import Any, TypeVar

from attrs import define, field

from clawgw.policies.functions import PolicyFunction
from clawgw.policies.guard import PolicyFailure, run_guarded
from clawgw.policies.quarantine import Quarantine
from clawgw.policies.returned import Rubbish, charges_of, plan_of
from clawgw.policy import Charge, Plan, RequestFacts, TargetView

log = logging.getLogger(__name__)

LOG_EVERY_S = 60.0
"""Of one policy's failures, one line so often."""

OnError = Callable[[str, PolicyFailure], None]
T = TypeVar("T")


@define
class _Conduct:
    """One policy's past. `unsaid` counts the failures since the last line of the log."""

    quarantine: Quarantine = field(factory=Quarantine)
    logged_at: float = -math.inf
    unsaid: int = 0

    def log(self, line: str, now: float) -> None:
        """Write the line, unless there was one a short while ago."""
        if now - self.logged_at < LOG_EVERY_S:
            self.unsaid += 1
            return
        more = f"; {self.unsaid} more failures since the last such line" if self.unsaid else ""
        log.warning("%s%s", line, more)
        self.logged_at, self.unsaid = now, 0


@define(eq=False)
class PolicyRunner:
    """The policies of one configuration, by `module:function`. For the main thread (`guard`).

    What a policy is given it cannot change for others: its targets are a list of its own, its options read-only.
    `on_error` is told of every failure; a policy that is left out after an overrun has none.
    """

    functions: Mapping[str, PolicyFunction]
    on_error: OnError
    _conducts: dict[str, _Conduct] = field(factory=lambda: defaultdict(_Conduct), init=False)

    def plan(
        self,
        name: str,
        request: RequestFacts,
        targets: Sequence[TargetView],
        options: Mapping[str, Any],
        now: float,
    ) -> Plan | None:
        """The policy's plan; None: it fails or is left out. `now`: seconds of the engine's clock."""
        read = partial(plan_of, targets=[view.target for view in targets])
        arguments = request, list(targets), MappingProxyType(options)
        return self._asked(name, arguments, read, "the configured order is used", now)

    def charges(
        self, names: Sequence[str], request: RequestFacts, options: Mapping[str, Any], now: float
    ) -> Sequence[Charge]:
        """What these quota policies charge, all together; one that fails or is left out charges nothing."""
        arguments = request, MappingProxyType(options)
        answers = (self._asked(name, arguments, charges_of, "nothing is charged", now) for name in names)
        return tuple(charge for charges in answers for charge in charges or ())

    def _asked(
        self, name: str, arguments: Sequence[object], read: Callable[[object], T | Rubbish], without: str, now: float
    ) -> T | None:
        """What the policy says; None: it fails, and the log says what happens `without`, or it is left out."""
        conduct = self._conducts[name]
        if conduct.quarantine.holds(now):
            return None
        outcome = run_guarded(self.functions[name], arguments, read)
        if not isinstance(outcome, PolicyFailure):
            conduct.quarantine.went_well()
            return outcome
        if outcome.kind == "overrun":
            conduct.quarantine.overran(now)
        self.on_error(name, outcome)
        conduct.log(f"policy {name} ({outcome.kind}), {without}: {outcome.text}", now)
        return None
