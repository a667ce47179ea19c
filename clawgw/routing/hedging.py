"""When a second target joins a slow one: how long to wait, and when not to at all.

Dean and Barroso, "The Tail at Scale" (CACM 2013): a second request after the first one's p95 costs 5 % more requests
and cuts the tail. Where a target fails already, or the other has little room left, it would only add load.
"""

from collections.abc import Iterator

from attrs import frozen

from clawgw.policy import After, OnFailure, Start, TargetView

DEFAULT = "p95"
UNKNOWN_S = 2.0
"""The delay while too few samples are known for a quantile."""
MOST_FAILURES = 0.10
LEAST_REMAINING = 0.10


@frozen
class Hedge:
    """How the alternate starts, and why so."""

    start: Start
    reason: str


def hedge(current: TargetView, alternate: TargetView, hedge_after: str | float, floor_s: float) -> Hedge:
    """How `alternate` follows `current`. `hedge_after` is a quantile such as `p95`, or seconds.

    `floor_s` is the shortest delay that a quantile gives.
    """
    if objection := next(_objections(current, alternate), None):
        return Hedge(OnFailure(), f"{alternate.target} waits until {current.target} fails or is silent: {objection}")
    seconds = delay_s(current, hedge_after, floor_s)
    return Hedge(After(seconds), f"{alternate.target} joins {current.target} after {seconds:.2f} s")


def delay_s(view: TargetView, hedge_after: str | float, floor_s: float) -> float:
    """Seconds to wait for the target of `view`. Seconds are taken as they are; a quantile is one of its own times."""
    if not isinstance(hedge_after, str):
        return hedge_after
    if view.first_token is None:
        return UNKNOWN_S
    return max(view.first_token.at(int(hedge_after[1:]) / 100), floor_s)


def _objections(current: TargetView, alternate: TargetView) -> Iterator[str]:
    for view in (current, alternate):
        if view.failure_ratio > MOST_FAILURES:
            yield f"{view.failure_ratio:.0%} of the attempts at {view.target} have failed"
    if alternate.breaker != "closed":
        yield f"the breaker of {alternate.target} is {alternate.breaker}"
    if alternate.cooling_s:
        yield f"{alternate.target} cools down"
    if alternate.remaining_ratio < LEAST_REMAINING:
        yield f"{alternate.target} has {alternate.remaining_ratio:.0%} of its limits left"
