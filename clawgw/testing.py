"""For tests of policies: made-up facts and views, the checks that the gateway itself does, and a plan run in no time.

Targets are written as the configuration writes them, `provider/model`. Nothing here needs a network or an event loop;
any test runner will do.
"""

import heapq
import math
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from importlib import import_module
from itertools import count
from pathlib import Path
from types import ModuleType
from typing import Any, Literal, overload

from attrs import define, field, frozen

from clawgw.config.tables import attempts, routes
from clawgw.policies.returned import Rubbish, charges_of
from clawgw.policy import Plan, RequestFacts, Target, TargetView, Trigger
from clawgw.routing.plan import plan_problem
from clawgw.routing.schedule import Schedule, Step
from clawgw.wire.failure import Failure, Kind

Policy = Callable[[RequestFacts, Sequence[TargetView], Mapping[str, Any]], Plan]
Outcome = tuple[float, Literal["ok", "fail", "silent"]]

_numbers = count(1)
_ROUTE = routes.Route(targets=())


@frozen
class Simulated:
    """How a plan went. Times are seconds since the request came, to the microsecond; targets are `provider/model`."""

    winner: str | None
    """None: no target has answered."""
    at_s: float
    """When the answer began, or the last hope was gone."""
    started: Sequence[tuple[str, float, Trigger]]
    """The attempts as they started: where, when, and what started them."""


def facts(model: str = "a-model", **known: Any) -> RequestFacts:
    """The facts of a request: those given, the others as in a plain chat of nobody in particular."""
    return RequestFacts(model, **known)


def view(target: str, **known: Any) -> TargetView:
    """The view of a target `provider/model`: what is given, otherwise healthy, idle and never used before."""
    return TargetView(_target(target), **known)


@overload
def load_policy(path: str | Path) -> Policy: ...
@overload
def load_policy(path: str | Path, function: str) -> Callable[..., Any]: ...
def load_policy(path: str | Path, function: str = "route") -> Callable[..., Any]:
    """The function of a policy's file, read anew; `from .other import …` finds the files beside it.

    Raises what importing the file raises, and AttributeError where it has no such function.
    """
    file = Path(path)
    if not file.is_file() or file.suffix != ".py":
        raise FileNotFoundError(f"{file}: no such policy; it is a Python file, NAME.py")
    folder = ModuleType(f"policies_under_test_{next(_numbers)}")
    folder.__path__ = [str(file.parent)]
    sys.modules[folder.__name__] = folder
    policy: Callable[..., Any] = getattr(import_module(f"{folder.__name__}.{file.stem}"), function)
    return policy


def check_plan(plan: object, targets: Sequence[TargetView]) -> None:
    """Fail with what the gateway would object to in a policy's plan for these targets."""
    problem = plan_problem(plan, [known.target for known in targets])
    if problem is not None:
        raise AssertionError(f"the gateway would not take this plan: {problem}")


def check_charges(charges: object) -> None:
    """Fail with what the gateway would object to in what a quota policy returns."""
    taken = charges_of(charges)
    problem = taken.problem if isinstance(taken, Rubbish) else None
    if problem is not None:
        raise AssertionError(f"the gateway would not take these charges: {problem}")


def simulate(
    plan: Plan,
    outcomes: Mapping[str, Outcome],
    *,
    failover_after_s: float = _ROUTE.failover_after_s,
    max_attempts: int = _ROUTE.max_attempts,
    deadline_s: float = _ROUTE.deadline_s,
) -> Simulated:
    """What the gateway makes of a plan when its targets behave like that; the defaults are those of a route.

    `outcomes` says for each target after how many seconds an attempt there answers (`ok`) or fails (`fail`), its first
    byte being its answer; a `silent` one does neither. Budgets never run out, and no target is tried twice unless it is
    planned twice.
    """
    problem = plan_problem(plan, [_target(name) for name in outcomes])
    if problem is not None:
        raise AssertionError(f"with outcomes for {', '.join(outcomes) or 'no target'}: {problem}")
    schedule = Schedule(
        plan=plan,
        silence_s=lambda _: failover_after_s,
        retry=attempts.Retry(),
        max_attempts=max_attempts,
        deadline=deadline_s,
        random=lambda: 0.5,
        spend=lambda trigger, _: trigger != "retry",
    )
    return _Simulation(schedule, outcomes).run()


@define
class _Simulation:
    """A race as `engine.race` runs it, with a list of what comes next in place of a clock. Attempts are numbered."""

    schedule: Schedule
    outcomes: Mapping[str, Outcome]
    started: list[Step] = field(factory=list)
    running: int = 0
    newest: int = 0
    coming: list[tuple[float, int, int, Step | None]] = field(factory=list)
    """Time, place among those of the same time, attempt; what joins that attempt then, or None: that attempt ends."""
    places: Iterator[int] = field(factory=count)

    def run(self) -> Simulated:
        """From the first start to the first answer, or until nothing is running."""
        for step in self.schedule.begin(0.0):
            self._start(step)
        at = 0.0
        while self.running:
            at, _, attempt, due = heapq.heappop(self.coming)
            if at >= self.schedule.deadline:
                return self._result(None, self.schedule.deadline)
            if due is not None:
                self._join(attempt, due)
            elif self._outcome(attempt)[1] == "ok":
                return self._result(attempt, at)
            else:
                self._fail(attempt, at)
        return self._result(None, at)

    def _start(self, step: Step | None) -> None:
        if step is None:
            return
        attempt = self.newest = len(self.started)
        self.started.append(step)
        self.running += 1
        delay_s, outcome = self._outcome(attempt)
        self._await(math.inf if outcome == "silent" else step.at + delay_s, attempt, None)
        due = self.schedule.due(step.at)
        if due is not None:
            self._await(due.at, attempt, due)

    def _join(self, attempt: int, due: Step) -> None:
        if attempt == self.newest:
            self._start(self.schedule.join(due, due.at, running=self.running))

    def _fail(self, attempt: int, at: float) -> None:
        self.running -= 1
        failure = Failure(Kind.SERVER, "simulated")
        target = self.started[attempt].target
        self._start(self.schedule.on_failure(target, failure, at, running=self.running, other_key=False))

    def _await(self, at: float, attempt: int, due: Step | None) -> None:
        heapq.heappush(self.coming, (at, next(self.places), attempt, due))

    def _outcome(self, attempt: int) -> Outcome:
        return self.outcomes[str(self.started[attempt].target)]

    def _result(self, winner: int | None, at: float) -> Simulated:
        started = [(str(step.target), round(step.at, 6), step.trigger) for step in self.started]
        return Simulated(None if winner is None else started[winner][0], round(at, 6), started)


def _target(text: str) -> Target:
    provider, _, model = text.partition("/")
    if not provider or not model:
        raise ValueError(f"a target is written provider/model, not {text!r}")
    return Target(provider, model)
