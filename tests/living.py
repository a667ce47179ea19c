"""A snapshot brought to life over an upstream of the test's own."""

from collections.abc import Callable

import trio

from clawgw.config.snapshot import Snapshot
from clawgw.engine.live import Live
from clawgw.engine.planning import Planner
from clawgw.engine.provider import LiveProvider
from clawgw.engine.transcript import BodyKeeper
from clawgw.engine.upstream import Upstream
from clawgw.limits.limiter import Limiter, OnRejection
from clawgw.limits.memory import MemoryStore
from clawgw.policies.functions import PolicyFunction
from clawgw.policies.runner import OnError, PolicyRunner
from clawgw.routing.budget import Budgets
from clawgw.routing.catalogue import bundled
from clawgw.wire.formats import CODECS


def live(
    snapshot: Snapshot,
    upstream: Upstream,
    *,
    policies: dict[str, PolicyFunction] | None = None,
    on_error: OnError = lambda _policy, _failure: None,
    on_rejection: OnRejection = lambda _scope, _kind: None,
    close: Callable[[], None] = lambda: None,
) -> Live:
    """Every provider over the same upstream; dice that always show one half."""
    providers = {
        name: LiveProvider.of(
            ready,
            CODECS[ready.wire],
            upstream,
            breaker=snapshot.settings.breaker,
            random=lambda: 0.5,
            own_headers={},
        )
        for name, ready in snapshot.providers.items()
    }
    planner = Planner(snapshot, bundled(), PolicyRunner(policies or {}, on_error))
    limiter = Limiter(snapshot.settings, MemoryStore(lambda: int(trio.current_time() * 1000)), on_rejection)
    return Live(
        snapshot,
        providers,
        bundled(),
        planner,
        Budgets.of(snapshot.settings),
        close,
        limiter,
        bodies=BodyKeeper.of(snapshot),
    )
