"""What does not change about a target between two loads: its price, its size, whether its provider has a key."""

from clawgw.config.snapshot import Snapshot
from clawgw.policy import Target, TargetView
from clawgw.routing.catalogue import Catalogue


def base_view(target: Target, snapshot: Snapshot, catalogue: Catalogue) -> TargetView:
    """The view of a target of which nothing has been seen yet; `health` adds what has."""
    price = snapshot.settings.prices.get(str(target))
    facts = catalogue.entry(target.provider, target.model)
    return TargetView(
        target,
        ready=snapshot.providers[target.provider].not_ready is None,
        input_price=price.input if price else None,
        output_price=price.output if price else None,
        context_window=facts.context if facts else None,
    )
