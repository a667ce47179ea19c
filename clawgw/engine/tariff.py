"""What a request may come to at a target, and what an attempt at it has come to: tokens and money.

Attempts hold a tariff, and none of those who hold attempts: so all of a request is freed when it ends.
"""

from clawgw.engine.arrival import Arrival
from clawgw.engine.attempt import Attempt
from clawgw.engine.charged import UNCHARGED, Charged
from clawgw.fact import fact
from clawgw.ledger.cost import bill as cost_of
from clawgw.ledger.cost import upper_bound_cost
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

    def charge(self, attempt: Attempt) -> Charged:
        """What an attempt has come to."""
        used, arrival = attempt.used(self._rough_prompt), self.arrival
        if used is None:
            return UNCHARGED
        return Charged(used, cost_of(used.usage, attempt.target, arrival.live.planner.prices, arrival.now))

    def _rough_prompt(self) -> int:
        return self.prompt.rough(self.prompt.request.model)
