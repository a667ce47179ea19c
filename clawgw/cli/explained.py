"""An explanation as `clawgw explain` prints it: lines for people, and an object for programs."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import attrs

from clawgw.cli.table import aligned
from clawgw.config.snapshot import Snapshot
from clawgw.engine.explanation import ExplainedAttempt, ExplainedQuota, Explanation
from clawgw.limits.levels import charged_buckets
from clawgw.limits.words import size_text
from clawgw.policy import Charge, RequestFacts
from clawgw.routing.resolve import Claim

_CLAIMS: dict[Claim, str] = {
    "route": "the route {route}",
    "provider": "provider/model, as {provider} is configured",
    "catalogue": "a model of {provider}, as the catalogue has it",
    "default": "a name that nothing else claims, for the default provider {provider}",
}
_NOT_KNOWN = (
    "health: breakers, cool-downs, failures, latencies (a quantile of hedge_after counts as 2 s)",
    "how much is left of limits and budgets",
)
_NO_KEY = "who asks: clients need a key, and --key names none, so no labels and no allowed models count"


def lines(explanation: Explanation, snapshot: Snapshot) -> Iterator[str]:
    """The lines for people."""
    resolved = explanation.resolved
    yield from aligned(
        [
            ("model", f"{explanation.facts.model}: {_claim(explanation)}"),
            ("decides", _decision(explanation)),
            ("reason", " ".join(explanation.reason.split()) or "none given"),
            ("bounds", f"at most {resolved.max_attempts} attempts, all together in {resolved.deadline_s:g} s"),
            ("request", ", ".join(_told(explanation.facts))),
        ]
    )
    yield "plan"
    head = ("", "target", "starts", "as", "USD per million tokens", "context", "")
    rows = [_row(number, attempt) for number, attempt in enumerate(explanation.attempts, 1)]
    yield from (f"  {line}" for line in aligned([head, *rows]))
    if explanation.left_out:
        yield "left out"
    yield from (f"  {line}" for line in aligned([(out.target, out.why) for out in explanation.left_out]))
    if explanation.quotas:
        yield "charged to"
    yield from (f"  {line}" for line in aligned([row for quota in explanation.quotas for row in _quota_rows(quota)]))
    yield "not known here"
    yield from (f"  {line}" for line in _unknown(explanation, snapshot))


def as_json(explanation: Explanation, snapshot: Snapshot) -> dict[str, Any]:
    """The same for programs. None: not known, or there is no such thing."""
    resolved, failure = explanation.resolved, explanation.policy_failure
    return {
        "ok": True,
        "config": snapshot.version,
        "model": explanation.facts.model,
        "claim": resolved.claim,
        "route": resolved.route,
        "has_fallbacks": resolved.has_fallbacks,
        "strategy": explanation.strategy,
        "policy": explanation.policy,
        "policy_failure": None if failure is None else attrs.asdict(failure),
        "reason": explanation.reason,
        "max_attempts": resolved.max_attempts,
        "deadline_s": resolved.deadline_s,
        "attempts": [_attempt(attempt, explanation.facts) for attempt in explanation.attempts],
        "left_out": [attrs.asdict(left_out) for left_out in explanation.left_out],
        "quotas": [attrs.asdict(quota) for quota in explanation.quotas],
        "facts": attrs.asdict(explanation.facts),
        "not_known": list(_unknown(explanation, snapshot)),
    }


def _claim(explanation: Explanation) -> str:
    resolved = explanation.resolved
    claim = _CLAIMS[resolved.claim].format(route=resolved.route, provider=resolved.targets[0].provider)
    return f"{claim}; fallback_providers follow" if resolved.has_fallbacks else claim


def _decision(explanation: Explanation) -> str:
    failure = explanation.policy_failure
    if explanation.policy is None:
        return f"the strategy {explanation.strategy}"
    failed = "" if failure is None else f", which failed ({failure.kind}: {failure.text}); the configured order is used"
    return f"the policy {explanation.policy}{failed}"


def _told(facts: RequestFacts) -> Iterator[str]:
    """What is not as in any plain request, and what decides in every one."""
    yield facts.endpoint
    for key in attrs.fields(RequestFacts):
        value = getattr(facts, key.name)
        if key.name not in ("model", "endpoint", "now", "random") and value and value != key.default:
            yield f"{key.name} {_shown(value)}"
    yield f"random {facts.random:g}"
    yield f"now {datetime.fromtimestamp(facts.now, UTC):%Y-%m-%dT%H:%M:%SZ}"


def _shown(value: Any) -> str:
    if isinstance(value, dict):
        return " ".join(f"{name}={text}" for name, text in value.items())
    return str(value).lower() if isinstance(value, bool) else str(value)


def _row(number: int, attempt: ExplainedAttempt) -> tuple[str, ...]:
    view = attempt.view
    priced = view.input_price is not None and view.output_price is not None
    return (
        str(number),
        str(view.target),
        _start(attempt),
        " or ".join(attempt.triggers),
        f"{view.input_price:g} in, {view.output_price:g} out" if priced else "not known",
        "not known" if view.context_window is None else str(view.context_window),
        _remark(attempt),
    )


def _start(attempt: ExplainedAttempt) -> str:
    if attempt.after_silence_s is not None:
        return f"on failure, or {attempt.after_silence_s:g} s of silence"
    if attempt.after_s is None:
        return "on failure"
    return f"after {attempt.after_s:g} s, or on failure" if "failover" in attempt.triggers else "at once"


def _remark(attempt: ExplainedAttempt) -> str:
    if attempt.skipped is not None:
        return f"skipped: {attempt.skipped}"
    return "spare: max_attempts is reached unless one before it is skipped" if attempt.is_spare else "ready"


def _quota_rows(quota: ExplainedQuota) -> Iterator[tuple[str, str, str]]:
    for charge in quota.charges:
        yield " ".join(charge.bucket.split()), _sizes(charge), f"by {quota.policy}"
    if quota.failure is not None:
        yield "nothing", f"it failed ({quota.failure.kind}: {quota.failure.text})", f"by {quota.policy}"
    elif not quota.charges:
        yield "nothing", "", f"by {quota.policy}"


def _sizes(charge: Charge) -> str:
    sizes = ", ".join(map(size_text, charged_buckets(charge))) or "without a limit"
    return sizes if charge.requests == 1 else f"{sizes}, as {charge.requests} requests"


def _attempt(attempt: ExplainedAttempt, facts: RequestFacts) -> dict[str, Any]:
    view = attempt.view
    return {
        "target": str(view.target),
        "triggers": list(attempt.triggers),
        "after_s": attempt.after_s,
        "after_silence_s": attempt.after_silence_s,
        "ready": view.ready,
        "not_ready": None if view.ready else attempt.skipped,
        "skipped": attempt.skipped,
        "is_spare": attempt.is_spare,
        "input_price": view.input_price,
        "output_price": view.output_price,
        "cost_usd": view.cost_usd(facts),
        "context_window": view.context_window,
    }


def _unknown(explanation: Explanation, snapshot: Snapshot) -> Iterator[str]:
    yield from _NOT_KNOWN
    if snapshot.callers.anonymous is None and explanation.facts.key is None:
        yield _NO_KEY
