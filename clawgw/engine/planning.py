"""From a resolved model to a plan: the route's policy or strategy, over what is known of its targets now."""

from collections.abc import Callable

from attrs import frozen

from clawgw.config.settings import Route
from clawgw.config.snapshot import Snapshot
from clawgw.policies.runner import PolicyRunner
from clawgw.policy import Plan, RequestFacts, Target, TargetView
from clawgw.routing.catalogue import Catalogue
from clawgw.routing.plan import failover_plan, fill_silences
from clawgw.routing.resolve import Resolved
from clawgw.routing.strategies import STRATEGIES, StrategyOptions
from clawgw.routing.views import base_view

AddHealth = Callable[[TargetView], TargetView]
"""Adds to a view what has been seen of its target."""


@frozen
class Planner:
    """Plans for one configuration."""

    snapshot: Snapshot
    catalogue: Catalogue
    policies: PolicyRunner

    def plan(self, resolved: Resolved, facts: Callable[[], RequestFacts], add_health: AddHealth, now: float) -> Plan:
        """The plan of one request, its silences filled in. `now`: seconds of the engine's clock.

        `facts` and `add_health` are asked only where something is decided by them.
        """

        def view(target: Target) -> TargetView:
            return add_health(base_view(target, self.snapshot, self.catalogue))

        def silence_s(target: Target) -> float:
            return max(resolved.failover_after_s, view(target).p99_s or 0.0)

        return fill_silences(self._chosen(resolved, facts, view, now), silence_s)

    def _chosen(
        self, resolved: Resolved, facts: Callable[[], RequestFacts], view: Callable[[Target], TargetView], now: float
    ) -> Plan:
        route = self._route(resolved)
        if route is None or (route.policy is None and route.strategy == "failover"):
            return failover_plan(resolved.targets)
        views = [view(target) for target in resolved.targets]
        if route.policy is None:
            return _by_strategy(route, facts(), views)
        configured = Route(route.targets)
        return self.policies.plan(
            route.policy,
            facts(),
            views,
            route.options,
            fallback=lambda: _by_strategy(configured, facts(), views),
            now=now,
        )

    def _route(self, resolved: Resolved) -> Route | None:
        return None if resolved.route is None else self.snapshot.settings.routes[resolved.route]


def _by_strategy(route: Route, facts: RequestFacts, views: list[TargetView]) -> Plan:
    options = StrategyOptions(route.weights, route.hedge_after, route.max_attempts)
    return STRATEGIES[route.strategy](facts, views, options)
