"""What an attempt, or a whole request, has come to: its usage, its cost, and what both count for at limits."""

from typing import NamedTuple

from clawgw.engine.seen import Used
from clawgw.limits.levels import Demand
from clawgw.routing.money import nano_dollars


class Charged(NamedTuple):
    """`used` None: nothing. `cost_pico` in pico-dollars; None: nobody knows."""

    used: Used | None = None
    cost_pico: int | None = None

    def demand(self, *, sent: bool) -> Demand:
        """What limits count, where something was `sent` or not."""
        tokens = self.used.usage.prompt + self.used.usage.completion if self.used else 0
        return Demand(tokens, nano_dollars(self.cost_pico or 0), int(sent))


UNCHARGED = Charged()
