"""Which buckets a request touches, and how much it wants of each before it is known what it really uses.

The levels are the caller's key, its labels, the route and what quota policies charge; then, for every attempt, the
provider and the key of its pool. Pure.
"""

from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from typing import NamedTuple

from attrs import field, frozen

from clawgw.config.callers import Caller
from clawgw.config.settings import Settings
from clawgw.config.tables.limits import Budget, RateLimits
from clawgw.config.tables.providers import Provider
from clawgw.limits.arithmetic import MAX_LIMIT
from clawgw.limits.bucket import NANO_DOLLARS, Bucket, Claims, Kind, Scope, Window
from clawgw.policy import Charge

BUCKETS_KEPT = 10_000
"""A quota policy may name any number of them."""
_LEAST = 1
"""What is used up refuses also what would cost nothing."""


class Demand(NamedTuple):
    """What a request, or an attempt, comes to, or may: `tokens` with its answer, and `usd` in nano-dollars."""

    tokens: int = 0
    usd: int = 0
    requests: int = 1
    concurrent: int = 1


_PART: Mapping[Kind, int] = {"tokens": 0, "usd": 1, "requests": 2, "concurrent": 3}
"""Which of a demand is for buckets of a kind."""


def _in_order(buckets: Iterable[Bucket]) -> tuple[Bucket, ...]:
    return tuple(buckets)


@frozen(eq=False)
class Levels:
    """Buckets that are asked at the same time, and what has to be known for that."""

    buckets: tuple[Bucket, ...] = field(converter=_in_order)
    scarcest_tokens: Bucket | None = field(init=False)
    """The bucket of tokens with the smallest limit."""
    priced: bool = field(init=False)
    """A budget is among them."""
    _asked: tuple[tuple[int, int], ...] = field(init=False)
    """Of each bucket, which part of a demand it is for, and the most that is claimed of it."""

    @scarcest_tokens.default
    def _find_scarcest(self) -> Bucket | None:
        of_tokens = (bucket for bucket in self.buckets if bucket.kind == "tokens")
        return min(of_tokens, key=lambda bucket: bucket.limit, default=None)

    @priced.default
    def _find_budget(self) -> bool:
        return any(bucket.kind == "usd" for bucket in self.buckets)

    @_asked.default
    def _find_asked(self) -> tuple[tuple[int, int], ...]:
        return tuple((_PART[bucket.kind], max(bucket.limit, _LEAST)) for bucket in self.buckets)

    def __add__(self, other: "Levels") -> "Levels":
        """Both."""
        return Levels((*self.buckets, *other.buckets))

    def claims(self, demand: Demand) -> Claims:
        """What is wanted of each bucket beforehand: no more than it can ever hold."""
        amounts = [most if demand[part] > most else demand[part] or _LEAST for part, most in self._asked]
        return Claims(self.buckets, amounts)


def settled(claims: Claims, used: Demand) -> list[int]:
    """What was used of each bucket in the end. A request that was sent counts as it was claimed."""
    return [
        amount if bucket.kind == "requests" and used.requests else used[_PART[bucket.kind]]
        for bucket, amount in zip(*claims, strict=True)
    ]


def caller_buckets(caller: Caller, settings: Settings) -> Iterator[Bucket]:
    """Those of a key and its labels."""
    if caller.name is not None:
        yield from _buckets("key", caller.name, caller.limits, caller.budget)
    for name, value in caller.labels.items():
        label = f"{name}:{value}"
        limits = settings.limits.labels.get(label)
        if limits is not None:
            yield from _buckets("label", label, limits, limits.budget)


def route_buckets(route: str | None, settings: Settings) -> Iterator[Bucket]:
    """Those that all who use a route share."""
    if route is not None:
        rules = settings.routes[route]
        yield from _buckets("route", route, rules.limits, rules.budget)


def charged_buckets(charge: Charge) -> Iterator[Bucket]:
    """Those that a quota policy names."""
    limits = RateLimits(charge.requests_per_minute, charge.tokens_per_minute, charge.concurrent)
    budget = None if charge.budget_usd is None else Budget(charge.budget_usd, charge.per)
    yield from _buckets("quota", charge.bucket, limits, budget)


def provider_buckets(name: str, provider: Provider) -> Iterator[Bucket]:
    """Those of a provider, whichever of its keys is used."""
    yield from _buckets("provider", name, provider.limits, provider.budget)


def pool_key_buckets(name: str, provider: Provider, key: str) -> Iterator[Bucket]:
    """Those of one key of a provider's pool; `key` tells it from the others, and is no secret."""
    yield from _buckets("provider_key", f"{name}/{key}", provider.key_limits, provider.key_budget)


def _buckets(scope: Scope, name: str, limits: RateLimits | None, budget: Budget | None) -> Iterator[Bucket]:
    if limits is not None:
        kinds: tuple[tuple[Kind, int | None], ...] = (
            ("requests", limits.requests_per_minute),
            ("tokens", limits.tokens_per_minute),
            ("concurrent", limits.concurrent),
        )
        yield from (
            _bucket(scope, name, kind, min(limit, MAX_LIMIT[kind])) for kind, limit in kinds if limit is not None
        )
    if budget is not None:
        yield _bucket(scope, name, "usd", min(round(budget.usd * NANO_DOLLARS), MAX_LIMIT["usd"]), budget.per)


@lru_cache(BUCKETS_KEPT)
def _bucket(scope: Scope, name: str, kind: Kind, limit: int, per: Window = "minute") -> Bucket:
    """One object for one bucket, so that the stores know it at once."""
    return Bucket(scope, name, kind, limit, per)
