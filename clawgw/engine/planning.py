"""What is decided of a request before it is sent: its plan, by policy or strategy, and what quotas charge it to."""

from collections.abc import Callable, Sequence
from functools import lru_cache

from attrs import field, frozen

from clawgw.config.settings import Route
from clawgw.config.snapshot import Snapshot
from clawgw.policies.runner import PolicyRunner
from clawgw.policy import Charge, Plan, RequestFacts, Target, TargetView
from clawgw.routing.catalogue import Catalogue
from clawgw.routing.plan import failover_plan
from clawgw.routing.prices import Prices, prices_of
from clawgw.routing.resolve import Resolved
from clawgw.routing.strategies import BY_HEALTH_ALONE, STRATEGIES, StrategyOptions
from clawgw.routing.views import base_view

AddHealth = Callable[[TargetView], TargetView]
"""Adds to a view what has been seen of its target."""
MOST_VIEWS = 1024
"""A client may name any model where a route's target ends in `*`."""
_ANY_REQUEST = RequestFacts(model="")


@frozen
class Planner:
    """Plans for one configuration."""

    snapshot: Snapshot
    catalogue: Catalogue
    policies: PolicyRunner
    prices: Prices = field(init=False)
    _unpriced: Callable[[Target], TargetView] = field(init=False, repr=False)
    """The view of a target as it is without prices and health; remembered."""

    @prices.default
    def _prices(self) -> Prices:
        return prices_of(self.snapshot.settings.prices)

    @_unpriced.default
    def _remembering(self) -> Callable[[Target], TargetView]:
        return lru_cache(MOST_VIEWS)(lambda target: base_view(target, self.snapshot, self.catalogue))

    def plan(self, resolved: Resolved, facts: Callable[[], RequestFacts], add_health: AddHealth, now: float) -> Plan:
        """The plan of one request. `now`: seconds of the engine's clock.

        `facts` and `add_health` are asked only where something is decided by them.
        """
        route = self._route(resolved)
        if route is None or (route.policy is None and route.strategy == "failover"):
            return failover_plan(resolved.targets)
        if route.policy is None and route.strategy in BY_HEALTH_ALONE:
            views = [add_health(self._unpriced(target)) for target in resolved.targets]
            return self._by_strategy(route, _ANY_REQUEST, views)
        request = facts()
        views = [add_health(self.base(target, request)) for target in resolved.targets]
        if route.policy is None:
            return self._by_strategy(route, request, views)
        return self.policies.plan(
            route.policy,
            request,
            views,
            route.options,
            fallback=lambda: self._by_strategy(Route(route.targets), request, views),
            now=now,
        )

    def charges(self, facts: Callable[[], RequestFacts], now: float) -> Sequence[Charge]:
        """What the quota policies charge one request to; `facts` is asked only if there are any."""
        rules = self.snapshot.settings.policies
        return self.policies.charges(rules.quota, facts(), rules.options, now) if rules.quota else ()

    def base(self, target: Target, request: RequestFacts) -> TargetView:
        """What is known of a target beside its health, with the prices that this request would have there."""
        price = self.prices.price(target, request.now)
        rates = None if price is None else price.rates(request.estimated_tokens)
        return base_view(target, self.snapshot, self.catalogue, rates)

    def _route(self, resolved: Resolved) -> Route | None:
        return None if resolved.route is None else self.snapshot.settings.routes[resolved.route]

    def _by_strategy(self, route: Route, facts: RequestFacts, views: Sequence[TargetView]) -> Plan:
        floor_s = self.snapshot.settings.hedge.floor_s
        options = StrategyOptions(route.weights, route.hedge_after, floor_s, route.max_attempts)
        return STRATEGIES[route.strategy](facts, views, options)
