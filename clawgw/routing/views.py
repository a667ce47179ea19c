"""What does not change about a target between two loads: its price, its size, whether its provider has a key."""

from clawgw.config.snapshot import Snapshot
from clawgw.policy import Target, TargetView
from clawgw.routing.catalogue import Catalogue
from clawgw.routing.prices import Rates, usd_per_million


def base_view(target: Target, snapshot: Snapshot, catalogue: Catalogue, rates: Rates | None = None) -> TargetView:
    """The view of a target of which nothing has been seen yet; `health` adds what has. `rates`: None, not known."""
    facts = catalogue.entry(target.provider, target.model)
    return TargetView(
        target,
        ready=snapshot.providers[target.provider].not_ready is None,
        input_price=None if rates is None else usd_per_million(rates.input),
        output_price=None if rates is None else usd_per_million(rates.output),
        context_window=facts.context if facts else None,
    )
