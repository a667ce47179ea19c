"""Budgets for attempts beyond the first: a share of the requests of late.

Without them a provider in trouble would get more requests than one that is well (Finagle's `RetryBudget`; Google's SRE
book, "Handling Overload").
"""

from collections.abc import Mapping

from attrs import Factory, define, field

from clawgw.config.settings import Settings
from clawgw.policy import Trigger
from clawgw.routing.recent import RecentCount

FLOOR = 3
"""What may be spent where there are few requests: else a gateway with one user would never retry or hedge."""
_ROUNDING = 1e-9


@define(eq=False)
class RatioBudget:
    """At most `ratio` of the requests of the last `window_s` seconds, and at least `floor`. A ratio of 0: nothing."""

    ratio: float
    window_s: float
    floor: int = FLOOR
    _requests: RecentCount = field(
        init=False, default=Factory(lambda self: RecentCount(self.window_s), takes_self=True)
    )
    _spent: RecentCount = field(init=False, default=Factory(lambda self: RecentCount(self.window_s), takes_self=True))

    def note_request(self, now: float) -> None:
        """A request has come in."""
        self._requests.add(now)

    def spend(self, now: float) -> bool:
        """Take one, if there is one left."""
        if self._spent.total(now) >= self._allowed(now):
            return False
        self._spent.add(now)
        return True

    def _allowed(self, now: float) -> int:
        if not self.ratio:
            return 0
        return max(self.floor, int(self.ratio * self._requests.total(now) + _ROUNDING))


@define(eq=False)
class Budgets:
    """What the requests of one worker may spend: on `retry` of the same target, on `hedge`, on `silence`.

    Failover after a failure needs no budget: a provider that is gone would leave most requests without an answer.
    """

    _budgets: Mapping[Trigger, RatioBudget]

    @classmethod
    def of(cls, settings: Settings) -> "Budgets":
        """Those of a configuration, with nothing spent."""
        return cls(
            {
                "retry": RatioBudget(settings.retry.budget_ratio, window_s=10.0),
                "hedge": RatioBudget(settings.hedge.budget_ratio, window_s=60.0),
                "silence": RatioBudget(settings.silence.budget_ratio, window_s=60.0),
            }
        )

    def note_request(self, now: float) -> None:
        """A request has come in."""
        for budget in self._budgets.values():
            budget.note_request(now)

    def spend(self, trigger: Trigger, now: float) -> bool:
        """Take one attempt of this trigger, if there is one left."""
        return self._budgets[trigger].spend(now)
