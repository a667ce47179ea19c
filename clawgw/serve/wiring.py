"""The one place where a configuration becomes a gateway: its providers, their codecs, their ways out."""

import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import trio

from clawgw.config.snapshot import Snapshot
from clawgw.engine.echo import EchoUpstream
from clawgw.engine.httpx_upstream import HttpxUpstream
from clawgw.engine.provider import LiveProvider
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
    network, echo = HttpxUpstream(), EchoUpstream()
    providers = {
        name: LiveProvider(
            ready,
            CODECS[ready.wire],
            echo if ready.wire == "echo" else network,
            KeyPool(len(ready.keys)),
            own_headers={"via": f"1.1 clawgw-{instance}"},
        )
        for name, ready in snapshot.providers.items()
    }
    gateway = Gateway(Live(snapshot, providers, catalogue), metrics, random.random)
    try:
        yield Service(gateway, metrics, instance)
    finally:
        with trio.move_on_after(GOODBYE_S, shield=True):
            await network.aclose()
