"""Keys that are right and do nothing where they stand: they want another one beside them. Worth a warning each."""

from collections.abc import Iterator

from clawgw.config.mistakes import path_of
from clawgw.config.settings import Settings
from clawgw.config.tables.routes import Route


def lonely_keys(settings: Settings) -> Iterator[str]:
    """`path: …` lines."""
    if settings.auth.required and not settings.keys:
        yield "auth.required: there are no [[keys]], so nobody is let in; `clawgw keys new NAME` makes one"
    for name, route in settings.routes.items():
        for key, wanted in _lonely_keys_of(route):
            yield f"{path_of('routes', name, key)}: has no effect without {wanted}"
    if settings.policies.options and not settings.policies.quota:
        yield "policies.options: has no effect without policies.quota"


def _lonely_keys_of(route: Route) -> Iterator[tuple[str, str]]:
    """Each with what it wants beside it. A policy decides instead of the strategy."""
    strategy = None if route.policy else route.strategy
    if route.weights is not None and strategy != "weighted":
        yield "weights", 'strategy = "weighted"'
    if route.hedge_after is not None and strategy != "hedge":
        yield "hedge_after", 'strategy = "hedge"'
    if route.options and route.policy is None:
        yield "options", "a policy"
