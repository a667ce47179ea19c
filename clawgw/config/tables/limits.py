"""How much may be asked for: limits and budgets wherever they stand, and `[limits]`."""

from collections.abc import Mapping
from typing import Literal

from attrs import field, frozen

from clawgw.config.values import Address, Dollars, LabelName, PerMinute, Places, Positive


@frozen
class RateLimits:
    """`limits`, `key_limits`: buckets that hold one minute's worth; None: no limit."""

    requests_per_minute: PerMinute | None = None
    tokens_per_minute: PerMinute | None = None
    concurrent: Places | None = None


@frozen
class Budget:
    """`budget`: USD per calendar window, UTC."""

    usd: Dollars
    per: Literal["hour", "day", "month"]


@frozen
class LabelLimits(RateLimits):
    """One of `[limits.labels]`: shared by every key with the label."""

    budget: Budget | None = None


@frozen
class Limits:
    """`[limits]`."""

    store: Literal["memory", "redis"] = "memory"
    redis_url: Address = field(default="env:REDIS_URL", repr=False)
    redis_timeout_s: Positive = 0.05
    when_down: Literal["local", "open", "closed"] = "local"
    labels: Mapping[LabelName, LabelLimits] = field(factory=dict)
