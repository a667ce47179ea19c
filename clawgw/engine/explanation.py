"""What a request would get, and why: its plan, with all that decides about each attempt, and what it is charged to.

It is the plan of a gateway that has just started: nothing has been measured, nothing is spent. Does no I/O and calls
nobody, but the policies are really run.
"""

from collections.abc import Iterator, Mapping, Sequence

from attrs import frozen

from clawgw.config.callers import Caller
from clawgw.config.known import canonical
from clawgw.config.snapshot import Snapshot
from clawgw.engine.planning import Planner
from clawgw.policies.functions import PolicyFunction
from clawgw.policies.guard import PolicyFailure
from clawgw.policies.runner import PolicyRunner
from clawgw.policy import After, AtOnce, Charge, OnFailure, Plan, RequestFacts, Target, TargetView, Trigger
from clawgw.routing.catalogue import Catalogue
from clawgw.routing.permission import check_allowed
from clawgw.routing.resolve import Resolved, resolve
from clawgw.wire.codec import WireTarget
from clawgw.wire.formats import CODECS
from clawgw.wire.operations import missing_endpoint
from clawgw.wire.request import ChatRequest


@frozen
class ExplainedAttempt:
    """One attempt of the plan, and what starts it as far as the deadline lets it: `triggers`.

    `after_s` counts from the start of the attempt before it (0.0 for one that starts at once), `after_silence_s` from
    there as well, while that one is silent; None: time starts nothing.
    """

    view: TargetView
    triggers: tuple[Trigger, ...]
    after_s: float | None
    after_silence_s: float | None
    skipped: str | None
    """Why it will be: its provider is not ready, or lacks the endpoint."""
    is_spare: bool
    """By its turn `max_attempts` is reached: it starts only if an attempt before it could not be sent."""


@frozen
class LeftOut:
    """A target `provider/model` that was to be expected and is not in the plan."""

    target: str
    why: str


@frozen
class ExplainedQuota:
    """What one quota policy charges the request to; `failure` says why that is nothing."""

    policy: str
    charges: Sequence[Charge]
    failure: PolicyFailure | None


@frozen
class Explanation:
    """`strategy` None: a policy decides; `policy_failure` says why it did not after all."""

    facts: RequestFacts
    resolved: Resolved
    strategy: str | None
    policy: str | None
    policy_failure: PolicyFailure | None
    reason: str
    attempts: Sequence[ExplainedAttempt]
    left_out: Sequence[LeftOut]
    quotas: Sequence[ExplainedQuota]


@frozen
class _Described:
    """A request that somebody describes, as `planning.Asked`. Nothing has been seen of any target."""

    _facts: RequestFacts

    def facts(self) -> RequestFacts:
        return self._facts

    def dice(self) -> float:
        return self._facts.random

    def seen(self, base: TargetView, *, steady: bool) -> TargetView:  # noqa: ARG002 - all views are the same here
        return base


def explain(
    facts: RequestFacts,
    caller: Caller,
    snapshot: Snapshot,
    catalogue: Catalogue,
    policies: Mapping[str, PolicyFunction],
) -> Explanation:
    """The plan for a caller's request. `policies` are those of the snapshot.

    Raises what the client would get: `ModelNotAllowed`, `ModelNotFound`.
    """
    check_allowed(caller, ChatRequest({}, facts.model, stream=facts.stream, include_usage=False))
    runner, failures = _runner(policies)
    planner = Planner(snapshot, catalogue, runner)
    resolved = resolve(facts.model, facts.endpoint, snapshot, catalogue)
    plan = planner.plan(resolved, _Described(facts), now=0.0)
    route = None if resolved.route is None else snapshot.settings.routes[resolved.route]
    policy = None if route is None else route.policy
    strategy = "failover" if route is None else route.strategy
    return Explanation(
        facts=facts,
        resolved=resolved,
        strategy=None if policy else strategy,
        policy=policy,
        policy_failure=next(iter(failures), None),
        reason=plan.reason,
        attempts=tuple(_attempts(plan, resolved, planner, facts)),
        left_out=(*_unplanned(plan, resolved), *_fallbacks_left_out(facts, resolved, snapshot)),
        quotas=tuple(_quota(name, facts, snapshot, policies) for name in snapshot.settings.policies.quota),
    )


def _runner(policies: Mapping[str, PolicyFunction]) -> tuple[PolicyRunner, Sequence[PolicyFailure]]:
    """One for a single call, and its failures."""
    failures = list[PolicyFailure]()
    return PolicyRunner(policies, lambda _, failure: failures.append(failure)), failures


def _quota(
    name: str, facts: RequestFacts, snapshot: Snapshot, policies: Mapping[str, PolicyFunction]
) -> ExplainedQuota:
    runner, failures = _runner(policies)
    charges = runner.charges([name], facts, snapshot.settings.policies.options, now=0.0)
    return ExplainedQuota(name, charges, next(iter(failures), None))


def _attempts(plan: Plan, resolved: Resolved, planner: Planner, facts: RequestFacts) -> Iterator[ExplainedAttempt]:
    sendable = 0
    for attempt, start in zip(plan.attempts, _starts(plan, resolved), strict=True):
        view = planner.base(attempt.target, facts)
        skipped = _why_skipped(attempt.target, planner.snapshot, facts.endpoint)
        yield ExplainedAttempt(view, *start, skipped, is_spare=sendable >= resolved.max_attempts)
        sendable += skipped is None


def _why_skipped(target: Target, snapshot: Snapshot, endpoint: str) -> str | None:
    provider = snapshot.providers[target.provider]
    missing = missing_endpoint(endpoint, CODECS[provider.wire], WireTarget(target.provider, target.model))
    return provider.not_ready or missing


def _starts(plan: Plan, resolved: Resolved) -> Iterator[tuple[tuple[Trigger, ...], float | None, float | None]]:
    """How `routing.schedule` starts each attempt: triggers, `after_s`, `after_silence_s`."""
    silence_s, deadline_s = resolved.failover_after_s, resolved.deadline_s
    yield ("primary",), 0.0, None
    racing = True
    for number, attempt in enumerate(plan.attempts[1:], start=2):
        racing = racing and number <= resolved.max_attempts and isinstance(attempt.start, AtOnce)
        match attempt.start:
            case AtOnce() if racing:
                yield ("race",), 0.0, None
            case After(seconds) if seconds < deadline_s:
                yield ("hedge", "failover"), seconds, None
            case OnFailure(seconds) if (wait_s := silence_s if seconds is None else seconds) < deadline_s:
                yield ("failover", "silence"), None, wait_s
            case _:
                yield ("failover",), None, None


def _unplanned(plan: Plan, resolved: Resolved) -> Iterator[LeftOut]:
    planned = {attempt.target for attempt in plan.attempts}
    for target in resolved.targets:
        if target not in planned:
            yield LeftOut(str(target), "the policy leaves it out")


def _fallbacks_left_out(facts: RequestFacts, resolved: Resolved, snapshot: Snapshot) -> Iterator[LeftOut]:
    """The fallback providers that would follow, were it not for their keys or the endpoint."""
    if resolved.claim not in ("catalogue", "default"):
        return
    for name in map(canonical, snapshot.settings.defaults.fallback_providers):
        provider = snapshot.providers[name]
        why = "its vectors would not mix with another model's" if facts.endpoint == "embeddings" else provider.not_ready
        if why is not None and name != resolved.targets[0].provider:
            yield LeftOut(f"{name}/{provider.default_model}", why)
