"""The one place where a configuration becomes a gateway: its providers, their codecs, their ways out."""

import random
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

import trio

from clawgw.config.snapshot import ReadyProvider, Snapshot
from clawgw.engine.echo import EchoUpstream
from clawgw.engine.httpx_upstream import HttpxUpstream
from clawgw.engine.provider import LiveProvider
from clawgw.engine.upstream import Upstream
from clawgw.gateway import Gateway, Live
from clawgw.routing.catalogue import bundled
from clawgw.routing.keys import KeyPool
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
    providers = {name: live_provider(ready, network, via) for name, ready in snapshot.providers.items()}
    gateway = Gateway(Live(snapshot, providers, catalogue), metrics, random.random)
    try:
        yield Service(gateway, metrics, instance)
    finally:
        with trio.move_on_after(GOODBYE_S, shield=True):
            await network.aclose()


def live_provider(ready: ReadyProvider, network: Upstream, own_headers: Mapping[str, str]) -> LiveProvider:
    """A provider as it is used, with `network` as its way out."""
    upstream = EchoUpstream(ready.tokens_per_second) if ready.wire == "echo" else network
    return LiveProvider(ready, CODECS[ready.wire], upstream, KeyPool(len(ready.keys)), own_headers=own_headers)
