"""Where a request goes: `[defaults]`, `[routes]`, `[policies]`; or what spares it the way, `[cache]`."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from attrs import field, frozen

from clawgw.config.rules import NotEmpty, Range
from clawgw.config.tables.limits import Budget, RateLimits
from clawgw.config.values import Count, FileName, Function, HedgeAfter, Positive, PositiveOrZero, Word

Strategy = Literal["failover", "weighted", "cheapest", "fastest", "hedge", "race"]


@frozen
class Defaults:
    """`[defaults]`."""

    provider: str | None = None
    fallback_providers: tuple[str, ...] = ()
    temperature: Annotated[float, Range(least=0, most=2)] | None = None
    max_tokens: Count | None = None


@frozen
class Route:
    """`[routes.NAME]`."""

    targets: Annotated[tuple[Word, ...], NotEmpty("target")]
    strategy: Strategy = "failover"
    weights: tuple[PositiveOrZero, ...] | None = None
    hedge_after: HedgeAfter | None = None
    max_attempts: Count = 3
    failover_after_s: Positive = 4.0
    deadline_s: Positive = 600.0
    limits: RateLimits | None = None
    budget: Budget | None = None
    policy: Function | None = None
    options: Mapping[str, Any] = field(factory=dict)
    cache: Literal["off", "key", "shared"] = "key"


@frozen
class Policies:
    """`[policies]`."""

    path: FileName = "policies"
    quota: tuple[Function, ...] = ()
    options: Mapping[str, Any] = field(factory=dict)


@frozen
class Cache:
    """`[cache]`."""

    store: Literal["off", "memory", "redis"] = "off"
    ttl_s: Positive = 300.0
    max_bytes: Count = 64 * 1024 * 1024
