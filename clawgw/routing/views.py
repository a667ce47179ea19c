"""What does not change about a target all day: its price, its size, whether its provider has a key."""

from bisect import bisect_left
from collections.abc import Sequence

from attrs import evolve, frozen

from clawgw.config.snapshot import Snapshot
from clawgw.policy import Target, TargetView
from clawgw.routing.catalogue import Catalogue
from clawgw.routing.money import usd_per_million
from clawgw.routing.prices import Price, Rates


@frozen
class BaseViews:
    """The views of a target of which nothing has been seen yet; `health` adds what has.

    Of prompts longer than `thresholds[n]` tokens `views[n + 1]` holds, and `views[0]` of those longer than none.
    """

    thresholds: Sequence[int]
    views: Sequence[TargetView]

    def of(self, prompt_tokens: int) -> TargetView:
        """The view for a prompt of so many tokens, whose prices these are."""
        return self.views[bisect_left(self.thresholds, prompt_tokens)]


def base_views(target: Target, snapshot: Snapshot, catalogue: Catalogue, price: Price | None) -> BaseViews:
    """A target's views. `price`: None, not known."""
    facts = catalogue.entry(target.provider, target.model)
    unpriced = TargetView(
        target,
        ready=snapshot.providers[target.provider].not_ready is None,
        context_window=facts.context if facts else None,
    )
    if price is None:
        return BaseViews((), (unpriced,))
    above = [_priced(unpriced, rates) for _, rates in price.above]
    return BaseViews([threshold for threshold, _ in price.above], [_priced(unpriced, price.base), *above])


def _priced(view: TargetView, rates: Rates) -> TargetView:
    return evolve(view, input_price=usd_per_million(rates.input), output_price=usd_per_million(rates.output))
