"""What is decided of a request before it is sent: its plan, by policy or strategy, and what quotas charge it to."""

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache

from attrs import field, frozen

from clawgw.config.settings import Route
from clawgw.config.snapshot import Snapshot
from clawgw.policies.runner import PolicyRunner
from clawgw.policy import Charge, Plan, RequestFacts, Target, TargetView
from clawgw.routing.catalogue import Catalogue
from clawgw.routing.plan import failover_plan
from clawgw.routing.prices import DAY_S, Prices, prices_of
from clawgw.routing.resolve import Resolved
from clawgw.routing.strategies import BY_HEALTH_ALONE, STRATEGIES, StrategyOptions, failover
from clawgw.routing.views import BaseViews, base_views

AddHealth = Callable[[TargetView], TargetView]
"""Adds to a view what has been seen of its target."""
MOST_VIEWS = 1024
"""A client may name any model where a route's target ends in `*`."""
_ANY_REQUEST = RequestFacts(model="")


@frozen
class _Deciding:
    """A route of which more is decided than that its targets follow each other."""

    route: Route
    options: StrategyOptions


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
        return prices_of(self.snapshot.settings.prices)

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

    def plan(self, resolved: Resolved, facts: Callable[[], RequestFacts], add_health: AddHealth, now: float) -> Plan:
        """The plan of one request. `now`: seconds of the engine's clock.

        `facts` and `add_health` are asked only where something is decided by them.
        """
        deciding = self._deciding.get(resolved.route)
        if deciding is None:
            return failover_plan(resolved.targets)
        route = deciding.route
        if route.policy is None and route.strategy in BY_HEALTH_ALONE:
            views = [add_health(self._unpriced(target)) for target in resolved.targets]
            return STRATEGIES[route.strategy](_ANY_REQUEST, views, deciding.options)
        request = facts()
        views = [add_health(self.base(target, request)) for target in resolved.targets]
        if route.policy is None:
            return STRATEGIES[route.strategy](request, views, deciding.options)
        plan = self.policies.plan(route.policy, request, views, route.options, now)
        return failover(request, views, deciding.options) if plan is None else plan

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
