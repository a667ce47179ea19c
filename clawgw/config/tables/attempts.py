"""When a target is asked again, beside another, or not at all: `[retry]`, `[breaker]`, `[hedge]`, `[silence]`."""

from attrs import frozen

from clawgw.config.values import Count, Positive, PositiveOrZero, Ratio


@frozen
class Retry:
    """`[retry]`."""

    budget_ratio: Ratio = 0.2
    base_s: PositiveOrZero = 0.05
    cap_s: PositiveOrZero = 2.0


@frozen
class Breaker:
    """`[breaker]`."""

    consecutive_failures: Count = 5
    failure_ratio: Ratio = 0.5
    window_s: Positive = 30.0
    min_requests: Count = 20
    open_s: Positive = 10.0


@frozen
class Hedge:
    """`[hedge]`."""

    budget_ratio: Ratio = 0.05
    floor_s: PositiveOrZero = 0.5


@frozen
class Silence:
    """`[silence]`."""

    budget_ratio: Ratio = 0.1
