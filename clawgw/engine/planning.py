"""What is decided of a request before it is sent: its plan, by policy or strategy, and what quotas charge it to."""

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Protocol

from attrs import define, evolve, field, frozen

from clawgw.config.snapshot import Snapshot
from clawgw.config.tables.routes import Route
from clawgw.policies.runner import PolicyRunner
from clawgw.policy import Charge, Plan, RequestFacts, Target, TargetView
from clawgw.routing.catalogue import Catalogue
from clawgw.routing.plan import failover_plan
from clawgw.routing.prices import DAY_S, Prices, prices_of
from clawgw.routing.resolve import Resolved
from clawgw.routing.strategies import LOOKS_AT, STRATEGIES, StrategyOptions, failover
from clawgw.routing.views import BaseViews, base_views

MOST_VIEWS = 1024
"""A client may name any model where a route's target ends in `*`."""
MOST_PLANS = 4
"""Of a route by health alone: streams and plain answers have views of their own."""
_ANY_REQUEST = RequestFacts("")


class Asked(Protocol):
    """A request to be planned for, which is asked only for what decides something."""

    def facts(self) -> RequestFacts:
        """What is known of it; its prompt is counted."""

    def dice(self) -> float:
        """`RequestFacts.random`, for less."""

    def seen(self, base: TargetView, *, steady: bool) -> TargetView:
        """A view with what has been seen of its target, as `Health.view` has it."""


@define(eq=False)
class _Deciding:
    """A route of which more is decided than that its targets follow each other."""

    route: Route
    options: StrategyOptions
    _plans: deque[tuple[Sequence[TargetView], Plan]] = field(init=False, factory=lambda: deque(maxlen=MOST_PLANS))
    """The latest plans by health alone, and what they were made of."""

    def by_strategy(self, request: RequestFacts, views: Sequence[TargetView], weights: Sequence[float] | None) -> Plan:
        """The plan of the route's strategy. `weights` are those of the targets that are left of the route's."""
        options = self.options if weights is self.options.weights else evolve(self.options, weights=weights)
        return STRATEGIES[self.route.strategy](request, views, options)

    def by_health(self, views: Sequence[TargetView]) -> Plan:
        """The same for any request: of equal views comes an equal plan, so that it is not made twice."""
        for known, plan in self._plans:
            if known == views:
                return plan
        plan = STRATEGIES[self.route.strategy](_ANY_REQUEST, views, self.options)
        self._plans.append((views, plan))
        return plan


@frozen
class Planner:
    """Plans for one configuration."""

    snapshot: Snapshot
    catalogue: Catalogue
    policies: PolicyRunner
    prices: Prices = field(init=False)
    _unpriced: Callable[[Target], TargetView] = field(init=False, repr=False)
    """The view of a target as it is without prices and health; remembered, as are the next."""
    _bases: Callable[[Target, float], BaseViews] = field(init=False, repr=False)
    """The views of a target on a day (since 1970) as it is without health."""
    _deciding: Mapping[str | None, _Deciding] = field(init=False, repr=False)
    """By the names of the routes."""

    @prices.default
    def _prices(self) -> Prices:
        snapshot = self.snapshot
        free = {name for name, provider in snapshot.providers.items() if provider.wire == "echo"}
        return prices_of(snapshot.settings.prices, free)

    @_unpriced.default
    def _remembering_unpriced(self) -> Callable[[Target], TargetView]:
        return lru_cache(MOST_VIEWS)(lambda target: base_views(target, self.snapshot, self.catalogue, None).of(0))

    @_bases.default
    def _remembering(self) -> Callable[[Target, float], BaseViews]:
        return lru_cache(MOST_VIEWS)(self._bases_of_day)

    @_deciding.default
    def _of_routes(self) -> Mapping[str | None, _Deciding]:
        settings = self.snapshot.settings
        return {
            name: _Deciding(route, _options(route, settings.hedge.floor_s))
            for name, route in settings.routes.items()
            if route.policy is not None or route.strategy != "failover"
        }

    def plan(self, resolved: Resolved, asked: Asked, now: float) -> Plan:
        """The plan of one request. `now`: seconds of the engine's clock."""
        deciding = self._deciding.get(resolved.route)
        if deciding is None:
            return failover_plan(resolved.targets)
        if deciding.route.policy is not None:
            return self._by_policy(deciding.route.policy, deciding, resolved.targets, asked, now)
        return self._by_strategy(deciding, resolved, asked)

    def _by_strategy(self, deciding: _Deciding, resolved: Resolved, asked: Asked) -> Plan:
        looks_at, targets = LOOKS_AT[deciding.route.strategy], resolved.targets
        if looks_at == "prices":
            request = asked.facts()
            return deciding.by_strategy(request, self._priced(targets, request, asked), resolved.weights)
        by_health = looks_at == "health"
        views = [asked.seen(self._unpriced(target), steady=by_health) for target in targets]
        if by_health:
            return deciding.by_health(views)
        return deciding.by_strategy(RequestFacts("", random=asked.dice()), views, resolved.weights)

    def _by_policy(self, policy: str, deciding: _Deciding, targets: Sequence[Target], asked: Asked, now: float) -> Plan:
        request = asked.facts()
        views = self._priced(targets, request, asked)
        plan = self.policies.plan(policy, request, views, deciding.route.options, now)
        return failover(request, views, deciding.options) if plan is None else plan

    def _priced(self, targets: Sequence[Target], request: RequestFacts, asked: Asked) -> Sequence[TargetView]:
        return [asked.seen(self.base(target, request), steady=False) for target in targets]

    def charges(self, facts: Callable[[], RequestFacts], now: float) -> Sequence[Charge]:
        """What the quota policies charge one request to; `facts` is asked only if there are any."""
        rules = self.snapshot.settings.policies
        return self.policies.charges(rules.quota, facts(), rules.options, now) if rules.quota else ()

    def base(self, target: Target, request: RequestFacts) -> TargetView:
        """What is known of a target beside its health, with the prices that this request would have there."""
        return self._bases(target, request.now // DAY_S).of(request.estimated_tokens)

    def _bases_of_day(self, target: Target, day: float) -> BaseViews:
        return base_views(target, self.snapshot, self.catalogue, self.prices.price(target, day * DAY_S))


def _options(route: Route, floor_s: float) -> StrategyOptions:
    return StrategyOptions(route.weights, route.hedge_after, floor_s, route.max_attempts)
