"""What a request may come to at a target, and what an attempt at it has come to: tokens and money.

Attempts hold a tariff, and none of those who hold attempts: so all of a request is freed when it ends.
"""

from clawgw.engine.arrival import Arrival
from clawgw.engine.attempt import Attempt
from clawgw.engine.seen import Used
from clawgw.fact import fact
from clawgw.ledger.cost import bill as cost_of
from clawgw.ledger.cost import upper_bound_cost
from clawgw.limits.levels import Demand
from clawgw.policy import Target
from clawgw.routing.money import nano_dollars
from clawgw.tokens.prompt import Prompt


@fact
class Tariff:
    """One request's."""

    prompt: Prompt
    arrival: Arrival

    async def prompt_tokens(self, target: Target) -> int:
        """Counted, or estimated."""
        return (await self.arrival.live.tokens.count(self.prompt, target)).tokens

    def most_it_costs(self, target: Target, prompt_tokens: int, answer_tokens: int) -> int | None:
        """In nano-dollars; None: nobody knows the target's price."""
        price = self.arrival.live.planner.prices.price(target, self.arrival.now)
        return None if price is None else nano_dollars(upper_bound_cost(prompt_tokens, answer_tokens, price))

    def charge(self, attempt: Attempt) -> tuple[Used | None, int | None]:
        """What an attempt has used (None: nothing), and what that costs in pico-dollars (None: nobody knows)."""
        used, arrival = attempt.used(self._rough_prompt), self.arrival
        if used is None:
            return None, None
        return used, cost_of(used.usage, attempt.target, arrival.live.planner.prices, arrival.now)

    def account(self, attempt: Attempt) -> Demand:
        """What an attempt counts for at its provider's limits."""
        return demand(*self.charge(attempt), sent=attempt.was_sent)

    def _rough_prompt(self) -> int:
        return self.prompt.rough(self.prompt.request.model)


def demand(used: Used | None, cost_pico: int | None, *, sent: bool) -> Demand:
    """What was used, as limits count it."""
    tokens = used.usage.prompt + used.usage.completion if used else 0
    return Demand(tokens, nano_dollars(cost_pico or 0), requests=int(sent))
