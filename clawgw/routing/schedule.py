"""Which attempt starts next: the plan, worked off one event at a time.

Pure: the engine tells what happened and when, and does what it is told. A schedule belongs to one request. `now` and
every other time are seconds of the engine's clock.
"""

import math
from collections.abc import Callable

from attrs import define, field, frozen

from clawgw.config.tables.attempts import Retry
from clawgw.fact import fact
from clawgw.policy import After, AtOnce, OnFailure, Plan, PlannedAttempt, Target, Trigger
from clawgw.routing.retry import RULES, backoff_s
from clawgw.wire.failure import Failure

MOST_IN_FLIGHT_WHEN_HEDGING = 2


@fact
class Step:
    """Start an attempt at `at`, which may be now."""

    target: Target
    trigger: Trigger
    at: float


@frozen
class _Retry:
    target: Target
    at: float


Spend = Callable[[Trigger, float], bool]
"""Takes one attempt of a trigger from its budget at a time; False where the budget is used up."""


@define
class Schedule:
    """The state of one plan. `random` gives numbers in [0, 1); at `deadline` nothing starts any more.

    `silence_s` says how long a target may be silent before what stands behind it joins, where the plan does not say it.
    """

    plan: Plan
    retry: Retry
    max_attempts: int
    deadline: float
    random: Callable[[], float]
    spend: Spend
    silence_s: Callable[[Target], float] = lambda _: math.inf
    failures: list[tuple[Target, Failure]] = field(factory=list)
    _planned: int = 0
    """How many of the plan's attempts have had their turn."""
    _started: int = 0
    _latest: Target | None = None
    _retries: dict[Target, int] = field(factory=dict)
    _retryable: list[_Retry] = field(factory=list)
    _final: bool = False

    def begin(self, now: float) -> list[Step]:
        """The attempts that start with the request: the first, and those after it that say so."""
        steps = [self._next_target("primary", now)]
        for following in self.plan.attempts[1 : self.max_attempts]:
            if not isinstance(following.start, AtOnce) or now >= self.deadline:
                break
            steps.append(self._next_target("race", now))
        return steps

    def due(self, started: float) -> Step | None:
        """What may join an attempt that started at `started`, while that one has not answered, and when.

        A step of trigger "silence" is only for an attempt of which nothing was heard. Whether it starts after all,
        `join` says at its time.
        """
        following = self._following(started)
        if following is None:
            return None
        match following.start:
            case After(seconds):
                step = Step(following.target, "hedge", started + seconds)
            case OnFailure(silence_s) if self._latest is not None:
                wait_s = self.silence_s(self._latest) if silence_s is None else silence_s
                step = Step(following.target, "silence", started + wait_s)
            case _:
                return None
        return step if step.at < self.deadline else None

    def join(self, due: Step, now: float, *, running: int) -> Step | None:
        """A due step's time has come with `running` attempts under way. None: it has to wait for a failure.

        It does where its budget is used up, where two attempts are in flight already and it is a hedge, and where
        something else has started meanwhile.
        """
        following = self._following(now)
        if following is None or following.target != due.target:
            return None
        if due.trigger == "hedge" and running >= MOST_IN_FLIGHT_WHEN_HEDGING:
            return None
        return self._next_target(due.trigger, now) if self.spend(due.trigger, now) else None

    def on_failure(self, target: Target, failure: Failure, now: float, *, running: int, other_key: bool) -> Step | None:
        """An attempt has failed; what starts because of it.

        `running` counts the attempts still under way, `other_key` says that the provider has a key not tried yet.
        None: nothing starts; the request is over if `is_final`, or if nothing is running.
        """
        self.failures.append((target, failure))
        rule = RULES[failure.kind]
        if rule.final:
            self._final = True
            return None
        if not failure.sent:
            self._started -= 1
        if rule.same_target:
            delay = backoff_s(failure, self._retries.get(target, 0), self.retry, self.random())
            self._retryable.append(_Retry(target, now + delay))
        if not self._may_start(now):
            return None
        if rule.other_key and other_key:
            return self._start(target, "retry", now)
        if self._following(now) is not None:
            return self._next_target("failover", now)
        if rule.spare_key and other_key:
            return self._start(target, "retry", now)
        return None if running else self._same_target(now)

    @property
    def is_final(self) -> bool:
        """The fault is the request's own: whatever is running is cancelled."""
        return self._final

    def _may_start(self, now: float) -> bool:
        return self._started < self.max_attempts and now < self.deadline

    def _following(self, now: float) -> PlannedAttempt | None:
        """The next of the plan, if it may start."""
        left = self._planned < len(self.plan.attempts) and self._started < self.max_attempts and now < self.deadline
        return self.plan.attempts[self._planned] if left else None

    def _next_target(self, trigger: Trigger, now: float) -> Step:
        target = self.plan.attempts[self._planned].target
        self._planned += 1
        return self._start(target, trigger, now)

    def _same_target(self, now: float) -> Step | None:
        soonest = min(self._retryable, key=lambda again: again.at, default=None)
        if soonest is None or soonest.at >= self.deadline or not self.spend("retry", now):
            return None
        self._retryable.remove(soonest)
        self._retries[soonest.target] = self._retries.get(soonest.target, 0) + 1
        return self._start(soonest.target, "retry", soonest.at)

    def _start(self, target: Target, trigger: Trigger, at: float) -> Step:
        self._started += 1
        self._latest = target
        return Step(target, trigger, at)
