"""The one place where a configuration becomes a gateway: its providers, their codecs, their ways out."""

import random
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

import trio
from attrs import frozen

from clawgw.config.settings import Settings
from clawgw.config.snapshot import ReadyProvider, Snapshot
from clawgw.engine.counting import TokenCounter
from clawgw.engine.echo import EchoUpstream
from clawgw.engine.http_upstream import HttpUpstream
from clawgw.engine.live import Live
from clawgw.engine.planning import Planner
from clawgw.engine.provider import LiveProvider
from clawgw.engine.transcript import BodyKeeper
from clawgw.engine.upstream import Upstream
from clawgw.gateway import Gateway
from clawgw.ledger.record import Ledger
from clawgw.limits.limiter import Limiter, OnRejection
from clawgw.policies.load import LoadedPolicies
from clawgw.policies.runner import OnError, PolicyRunner
from clawgw.routing.budget import Budgets
from clawgw.routing.catalogue import Catalogue, bundled
from clawgw.serve.caching import NO_CACHE, CacheKeeper
from clawgw.serve.limiting import LimitKeeper
from clawgw.web.metrics import Metrics
from clawgw.web.model_labels import model_labels
from clawgw.web.service import Service
from clawgw.wire.formats import CODECS

GOODBYE_S = 1.0


@frozen
class Foundation:
    """What outlives every configuration of a process. `own_headers` go into every request to an upstream."""

    catalogue: Catalogue
    network: Upstream
    own_headers: Mapping[str, str]
    policy_failed: OnError
    limits: LimitKeeper
    limit_rejected: OnRejection


@asynccontextmanager
async def open_service(
    snapshot: Snapshot,
    policies: LoadedPolicies,
    instance: str,
    limits: LimitKeeper,
    ledger: Ledger,
    cache: CacheKeeper = NO_CACHE,
) -> AsyncIterator[tuple[Service, Foundation]]:
    """A service that begins with one configuration, and what it takes to give it another.

    The idle connections are closed in the end, and whichever configuration is served then. `instance` goes into `Via`.
    """
    catalogue = bundled()
    metrics = Metrics(model_labels(snapshot, catalogue), snapshot.version)
    network = HttpUpstream()
    own_headers = {"via": f"1.1 clawgw-{instance}"}
    foundation = Foundation(catalogue, network, own_headers, metrics.policy_failed, limits, metrics.limit_rejected)
    gateway = Gateway(next_live(foundation, snapshot, policies), metrics, random.random, ledger)
    try:
        yield Service(cache.before(gateway, metrics), metrics, instance, limits, ledger), foundation
    finally:
        gateway.live.retire()
        with trio.move_on_after(GOODBYE_S, shield=True):
            await network.aclose()


def next_live(
    foundation: Foundation, snapshot: Snapshot, policies: LoadedPolicies, previous: Live | None = None
) -> Live:
    """A configuration brought to life. It owns `policies`.

    What it has in common with `previous` goes on as it is: a provider with its keys, breakers and latencies where
    neither it nor `[breaker]` has changed, the budgets where none of their ratios has, and what was learnt of tokens.
    """
    settings = snapshot.settings
    providers = {
        name: _kept(ready, settings, previous)
        or live_provider(ready, settings, foundation.network, foundation.own_headers)
        for name, ready in snapshot.providers.items()
    }
    same_budgets = previous is not None and _ratios(previous.snapshot.settings) == _ratios(settings)
    return Live(
        snapshot=snapshot,
        providers=providers,
        catalogue=foundation.catalogue,
        planner=Planner(snapshot, foundation.catalogue, PolicyRunner(policies.functions, foundation.policy_failed)),
        budgets=previous.budgets if previous is not None and same_budgets else Budgets.of(settings),
        close=policies.unload,
        limiter=Limiter(settings, foundation.limits.store, foundation.limit_rejected),
        tokens=previous.tokens if previous is not None else TokenCounter(),
        bodies=BodyKeeper.of(snapshot),
    )


def live_provider(
    ready: ReadyProvider, settings: Settings, network: Upstream, own_headers: Mapping[str, str]
) -> LiveProvider:
    """A provider as it is used, with `network` as its way out."""
    upstream = EchoUpstream(ready.tokens_per_second) if ready.wire == "echo" else network
    return LiveProvider.of(
        ready,
        CODECS[ready.wire],
        upstream,
        breaker=settings.breaker,
        random=random.random,
        own_headers=own_headers,
    )


def _kept(ready: ReadyProvider, settings: Settings, previous: Live | None) -> LiveProvider | None:
    if previous is None or previous.snapshot.settings.breaker != settings.breaker:
        return None
    provider = previous.providers.get(ready.name)
    return provider if provider is not None and provider.ready == ready else None


def _ratios(settings: Settings) -> tuple[float, ...]:
    return settings.retry.budget_ratio, settings.hedge.budget_ratio, settings.silence.budget_ratio
