"""The one place where a configuration becomes a gateway: its providers, their codecs, their ways out."""

import random
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

import trio

from clawgw.config.settings import Settings
from clawgw.config.snapshot import ReadyProvider, Snapshot
from clawgw.engine.echo import EchoUpstream
from clawgw.engine.httpx_upstream import HttpxUpstream
from clawgw.engine.live import Live
from clawgw.engine.planning import Planner
from clawgw.engine.provider import LiveProvider
from clawgw.engine.upstream import Upstream
from clawgw.gateway import Gateway
from clawgw.policies.load import load_policies
from clawgw.policies.runner import PolicyRunner
from clawgw.routing.budget import Budgets
from clawgw.routing.catalogue import bundled
from clawgw.web.metrics import Metrics, model_labels
from clawgw.web.service import Service
from clawgw.wire.formats import CODECS

GOODBYE_S = 1.0


@asynccontextmanager
async def open_service(snapshot: Snapshot, instance: str) -> AsyncIterator[Service]:
    """A service for one configuration; its idle connections are closed in the end. `instance` goes into `Via`."""
    catalogue = bundled()
    metrics = Metrics(model_labels(snapshot, catalogue), snapshot.version)
    network = HttpxUpstream()
    via = {"via": f"1.1 clawgw-{instance}"}
    providers = {
        name: live_provider(ready, snapshot.settings, network, via) for name, ready in snapshot.providers.items()
    }
    policies = load_policies(snapshot)
    planner = Planner(snapshot, catalogue, PolicyRunner(policies.functions, metrics.policy_failed))
    live = Live(snapshot, providers, catalogue, planner, Budgets.of(snapshot.settings))
    gateway = Gateway(live, metrics, random.random)
    try:
        yield Service(gateway, metrics, instance)
    finally:
        with trio.move_on_after(GOODBYE_S, shield=True):
            await network.aclose()
        policies.unload()


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
