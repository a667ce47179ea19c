"""The limits of one configuration, over the store that keeps their counts."""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet

from attrs import define, field

from clawgw.config.callers import Caller
from clawgw.config.known import canonical
from clawgw.config.settings import Settings
from clawgw.config.tables.providers import Provider
from clawgw.fact import fact
from clawgw.limits.bucket import Kind, Refused, Scope, Verdict, Wanted
from clawgw.limits.levels import (
    Demand,
    Levels,
    caller_buckets,
    pool_key_buckets,
    provider_buckets,
    route_buckets,
    settled,
)
from clawgw.limits.store import LimitStore
from clawgw.policy import Target

OnRejection = Callable[[Scope, Kind], None]

REMAINING_S = 0.1
"""For so long it is taken as unchanged what is left of a provider's limits."""
_UNLIMITED = Provider()
_NEVER = -math.inf, 1.0


@fact
class Reservation:
    """What was taken."""

    store: LimitStore
    taken: Wanted

    def settle(self, used: Demand) -> None:
        """Charge what was really used, and give back the rest. A request that was sent counts as it was claimed."""
        name, claims = self.taken
        self.store.settle(name, settled(claims, used))


@define(eq=False)
class Limiter:
    """The limits of one configuration, over a store that outlives it. `on_rejection` is told of every refusal."""

    settings: Settings
    store: LimitStore
    on_rejection: OnRejection
    _providers: Mapping[str, Provider] = field(init=False)
    limited: AbstractSet[str] = field(init=False)
    """The providers that have a bucket of any kind, or whose keys have."""
    _caller_levels: dict[tuple[str | None, str | None], Levels] = field(factory=dict, init=False)
    _provider_levels: dict[tuple[str, str | None], Levels] = field(factory=dict, init=False)
    _remaining: dict[str, tuple[float, float]] = field(factory=dict, init=False)
    """By provider until when it is taken as unchanged, and what is left."""

    def __attrs_post_init__(self) -> None:
        """Have the providers under the names that targets use."""
        self._providers = {canonical(name): provider for name, provider in self.settings.providers.items()}
        self.limited = {
            name
            for name, rules in self._providers.items()
            if any(provider_buckets(name, rules)) or any(pool_key_buckets(name, rules, ""))
        }

    def caller_levels(self, caller: Caller, route: str | None) -> Levels:
        """The buckets of a caller on a route."""
        known = self._caller_levels.get((caller.name, route))
        if known is None:
            known = Levels((*caller_buckets(caller, self.settings), *route_buckets(route, self.settings)))
            self._caller_levels[caller.name, route] = known
        return known

    def provider_levels(self, provider: str, key: str | None) -> Levels:
        """The buckets of a provider and of one key of its pool."""
        known = self._provider_levels.get((provider, key))
        if known is None:
            rules = self._providers.get(provider, _UNLIMITED)
            pool_key = () if key is None else pool_key_buckets(provider, rules, key)
            known = self._provider_levels[provider, key] = Levels((*provider_buckets(provider, rules), *pool_key))
        return known

    def remaining_ratio(self, provider: str, now: float) -> float:
        """What is left of a provider's own limits, from 0 to 1, as far as is known without asking.

        `now`: seconds of the engine's clock. Every request wants to know, and it changes little within `REMAINING_S`.
        """
        until, ratio = self._remaining.get(provider, _NEVER)
        if now >= until:
            ratio = self._remaining_ratio(provider)
            self._remaining[provider] = now + REMAINING_S, ratio
        return ratio

    def has_any(self, caller: Caller, route: str | None, targets: Iterable[Target]) -> bool:
        """Whether there is a bucket on the way from a caller to any of the targets."""
        if self.caller_levels(caller, route).buckets:
            return True
        return not self.limited.isdisjoint([target.provider for target in targets])

    async def reserve(self, wanted: Sequence[Wanted], expires_ms: int) -> Sequence[Verdict]:
        """What the store says of each, up to the first that it refuses."""
        verdicts = await self.store.reserve(wanted, expires_ms)
        if isinstance(last := verdicts[-1], Refused):
            for standing in last.refusing:
                self.on_rejection(standing.bucket.scope, standing.bucket.kind)
        return verdicts

    def _remaining_ratio(self, provider: str) -> float:
        standings = map(self.store.peek, self.provider_levels(provider, None).buckets)
        return min([standing.share_left for standing in standings if standing is not None], default=1.0)
