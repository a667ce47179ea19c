"""A configuration while it serves."""

from collections.abc import Mapping

from attrs import frozen

from clawgw.config.snapshot import Snapshot
from clawgw.engine.planning import Planner
from clawgw.engine.provider import LiveProvider
from clawgw.routing.budget import Budgets
from clawgw.routing.catalogue import Catalogue


@frozen
class Live:
    """One version of the configuration with the state that serves it. A request keeps the one it began with."""

    snapshot: Snapshot
    providers: Mapping[str, LiveProvider]
    catalogue: Catalogue
    planner: Planner
    budgets: Budgets
