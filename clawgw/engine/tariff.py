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
from clawgw.routing.prices import nano_dollars
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

    def used(self, attempt: Attempt) -> Used | None:
        """What an attempt has to be charged for; None: nothing."""
        return attempt.used(self._rough_prompt)

    def cost(self, attempt: Attempt, used: Used | None) -> int | None:
        """Of that, in pico-dollars; None: nothing was used, or nobody knows the price."""
        arrival = self.arrival
        return None if used is None else cost_of(used.usage, attempt.target, arrival.live.planner.prices, arrival.now)

    def account(self, attempt: Attempt) -> Demand:
        """What an attempt counts for at its provider's limits."""
        used = self.used(attempt)
        return demand(used, self.cost(attempt, used), sent=attempt.was_sent)

    def _rough_prompt(self) -> int:
        return self.prompt.rough(self.prompt.request.model)


def demand(used: Used | None, cost_pico: int | None, *, sent: bool) -> Demand:
    """What was used, as limits count it."""
    tokens = used.usage.prompt + used.usage.completion if used else 0
    return Demand(tokens, nano_dollars(cost_pico or 0), requests=int(sent))
