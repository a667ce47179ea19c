"""Budgets for attempts beyond the first: a share of the requests of late.

Without them a provider in trouble would get more requests than one that is well (Finagle's `RetryBudget`; Google's SRE
book, "Handling Overload").
"""

from collections.abc import Mapping, Sequence

from attrs import Factory, define, field

from clawgw.config.settings import Settings
from clawgw.policy import Trigger
from clawgw.routing.recent import RecentCount

FLOOR = 3
"""What may be spent where there are few requests: else a gateway with one user would never retry or hedge."""
_ROUNDING = 1e-9


@define(eq=False)
class RatioBudget:
    """At most `ratio` of the recent `requests`, and at least `floor`. A ratio of 0: nothing."""

    ratio: float
    requests: RecentCount
    """All of them; several budgets may share one count."""
    floor: int = FLOOR
    _spent: RecentCount = field(
        init=False, default=Factory(lambda self: RecentCount(self.requests.window_s), takes_self=True)
    )

    def spend(self, now: float) -> bool:
        """Take one, if there is one left."""
        if self._spent.total(now) >= self._allowed(now):
            return False
        self._spent.add(now)
        return True

    def _allowed(self, now: float) -> int:
        if not self.ratio:
            return 0
        return max(self.floor, int(self.ratio * self.requests.total(now) + _ROUNDING))


@define(eq=False)
class Budgets:
    """What the requests of one worker may spend: on `retry` of the same target, on `hedge`, on `silence`.

    Failover after a failure needs no budget: a provider that is gone would leave most requests without an answer.
    """

    _budgets: Mapping[Trigger, RatioBudget]
    _counts: Sequence[RecentCount] = field(init=False)
    """Those of requests, each of them once."""

    @_counts.default
    def _of_budgets(self) -> Sequence[RecentCount]:
        return tuple(dict.fromkeys(budget.requests for budget in self._budgets.values()))

    @classmethod
    def of(cls, settings: Settings) -> "Budgets":
        """Those of a configuration, with nothing spent."""
        of_10_s, of_60_s = RecentCount(window_s=10.0), RecentCount(window_s=60.0)
        return cls(
            {
                "retry": RatioBudget(settings.retry.budget_ratio, of_10_s),
                "hedge": RatioBudget(settings.hedge.budget_ratio, of_60_s),
                "silence": RatioBudget(settings.silence.budget_ratio, of_60_s),
            }
        )

    def note_request(self, now: float) -> None:
        """A request has come in."""
        for requests in self._counts:
            requests.add(now)

    def spend(self, trigger: Trigger, now: float) -> bool:
        """Take one attempt of this trigger, if there is one left."""
        return self._budgets[trigger].spend(now)
