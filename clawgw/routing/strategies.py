"""The built-in strategies. Each is a policy like anybody's own: `(request, targets, options) -> Plan`, pure.

All of them keep every target. One that is not available now goes last, in the configured order: by the time its turn
comes it may be, and if not, the engine refuses the attempt and the client is told why. Where a strategy does not say
otherwise, a target follows when the one before it has failed or is silent for the route's `failover_after_s`.
"""

import math
from bisect import bisect_right
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import accumulate, pairwise
from typing import Literal

from attrs import frozen

from clawgw.config.tables import routes
from clawgw.policy import AtOnce, OnFailure, Plan, PlannedAttempt, RequestFacts, TargetView, in_turn
from clawgw.routing import hedging
from clawgw.routing.plan import CONFIGURED_ORDER


@frozen
class StrategyOptions:
    """What a route says to its strategy. `weights`: one a target, in their order; None: equal ones."""

    weights: Sequence[float] | None = None
    hedge_after: str | float | None = None
    hedge_floor_s: float = 0.0
    max_attempts: int = 3


Strategy = Callable[[RequestFacts, Sequence[TargetView], StrategyOptions], Plan]


def failover(_request: RequestFacts, targets: Sequence[TargetView], _options: StrategyOptions) -> Plan:
    """The targets in the configured order."""
    return in_turn(_available_first(targets), CONFIGURED_ORDER + _unavailable(targets))


def weighted(request: RequestFacts, targets: Sequence[TargetView], options: StrategyOptions) -> Plan:
    """The targets drawn by weight, one after the other; those of weight 0 only follow."""
    weights = options.weights or (1.0,) * len(targets)
    pairs = list(zip(targets, weights, strict=True))
    order = _drawn([(view, weight) for view, weight in pairs if view.available], request.random)
    shares = ", ".join(f"{view.target} {weight:g}" for view, weight in pairs)
    return in_turn(order + _those_unavailable(targets), f"drawn by weight: {shares}" + _unavailable(targets))


def cheapest(request: RequestFacts, targets: Sequence[TargetView], _options: StrategyOptions) -> Plan:
    """The targets by what this request would cost there; those without a price come after all that have one."""
    costs = [(view, view.cost_usd(request)) for view in targets if view.available]
    costs.sort(key=lambda pair: math.inf if pair[1] is None else pair[1])
    order = [view for view, _ in costs] + _those_unavailable(targets)
    prices = ", ".join(f"{view.target} {_dollars(cost)}" for view, cost in costs) or "none to choose from"
    return in_turn(order, f"by price: {prices}" + _unavailable(targets))


def fastest(request: RequestFacts, targets: Sequence[TargetView], _options: StrategyOptions) -> Plan:
    """Of two targets drawn evenly the one with less load; then the others, the least load first.

    Load is the peak EWMA of the time to the first token, times attempts in flight and one. Comparing two at random
    instead of taking the best of all keeps the requests of one moment from going to the same target (Mitzenmacher,
    "The Power of Two Choices", 2001).
    """
    drawn = _drawn([(view, 1.0) for view in targets if view.available], request.random)
    pair = _by_load(drawn[:2])
    order = pair[:1] + _by_load(pair[1:] + drawn[2:])
    compared = " before ".join(f"{view.target} ({_speed(view)})" for view in pair) or "none to choose from"
    return in_turn(order + _those_unavailable(targets), f"by load: {compared}" + _unavailable(targets))


def hedge(_request: RequestFacts, targets: Sequence[TargetView], options: StrategyOptions) -> Plan:
    """The targets in the configured order, each joining the one before it when that one is slow (`routing.hedging`)."""
    order = _available_first(targets)
    hedge_after = options.hedge_after or hedging.DEFAULT
    following = [hedging.hedge(*pair, hedge_after, options.hedge_floor_s) for pair in pairwise(order)]
    starts = [AtOnce(), *(each.start for each in following)]
    reason = "; ".join(each.reason for each in following) or "one target, so nothing to hedge with"
    return Plan(map(PlannedAttempt, (view.target for view in order), starts), reason + _unavailable(targets))


def race(_request: RequestFacts, targets: Sequence[TargetView], options: StrategyOptions) -> Plan:
    """As many available targets at once as there may be attempts; the others follow."""
    order = _available_first(targets)
    racing = max(1, min(options.max_attempts, sum(view.available for view in targets)))
    starts = [AtOnce()] * racing + [OnFailure()] * (len(order) - racing)
    attempts = map(PlannedAttempt, (view.target for view in order), starts)
    return Plan(attempts, f"{racing} at once" + _unavailable(targets))


STRATEGIES: Mapping[routes.Strategy, Strategy] = {
    "failover": failover,
    "weighted": weighted,
    "cheapest": cheapest,
    "fastest": fastest,
    "hedge": hedge,
    "race": race,
}
"""By the names that `strategy` has in a route."""
LOOKS_AT: Mapping[routes.Strategy, Literal["health", "dice", "prices"]] = {
    "failover": "health",
    "weighted": "dice",
    "cheapest": "prices",
    "fastest": "dice",
    "hedge": "health",
    "race": "health",
}
"""What decides: health alone, the request's dice as well, or its size and what it would cost, which takes counting.

By health alone, a view may be steady (`Health.view`): such strategies do not mind how much is in flight.
"""


def _available_first(targets: Iterable[TargetView]) -> list[TargetView]:
    return sorted(targets, key=lambda view: not view.available)


def _those_unavailable(targets: Iterable[TargetView]) -> list[TargetView]:
    return [view for view in targets if not view.available]


def _drawn(weighted_views: Sequence[tuple[TargetView, float]], random: float) -> list[TargetView]:
    """Views drawn without putting back, by weight; those of weight 0 follow in order.

    One number makes all the draws. It falls into the part of [0, 1) that belongs to the view drawn; its place within
    that part, from 0 to 1, is as even as it was itself, and makes the next draw.
    """
    left = [(view, weight) for view, weight in weighted_views if weight]
    drawn = []
    while left:
        edges = [0.0, *accumulate(weight for _, weight in left)]
        point = random * edges[-1]
        index = bisect_right(edges, point, lo=1, hi=len(left)) - 1
        view, weight = left.pop(index)
        drawn.append(view)
        random = (point - edges[index]) / weight
    return drawn + [view for view, weight in weighted_views if not weight]


def _by_load(views: Iterable[TargetView]) -> list[TargetView]:
    """Views in order of load.

    A target whose time is not known is taken to be as fast as the fastest of the others, and comes first where that
    makes a tie: a new target is tried, but gets no more at once than the one that is known to be good. If attempts at
    it have failed lately, it is not new but broken, and comes last.
    """
    views = list(views)
    fastest_s = min((view.peak_ewma_s for view in views if view.peak_ewma_s is not None), default=1.0)

    def load(view: TargetView) -> tuple[bool, float, bool]:
        if view.peak_ewma_s is None:
            return view.failure_ratio > 0, fastest_s * (view.in_flight + 1), False
        return False, view.peak_ewma_s * (view.in_flight + 1), True

    return sorted(views, key=load)


def _unavailable(targets: Iterable[TargetView]) -> str:
    names = ", ".join(f"{view.target} ({_why_unavailable(view)})" for view in _those_unavailable(targets))
    return f"; not available now: {names}" if names else ""


def _why_unavailable(view: TargetView) -> str:
    if not view.ready:
        return "no key"
    return "breaker open" if view.breaker == "open" else f"cools down for {view.cooling_s:.0f} s"


def _speed(view: TargetView) -> str:
    known = "new" if view.peak_ewma_s is None else f"{view.peak_ewma_s:.2f} s"
    return f"{known}, {view.in_flight} in flight"


def _dollars(cost: float | None) -> str:
    return "without a price" if cost is None else f"${cost:.6f}"
