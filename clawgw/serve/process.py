"""The process that serves, as a place where configurations are swapped."""

import os
from collections.abc import Sequence

import trio
from attrs import define, field, frozen

from clawgw.config.files import Choice, load_chosen
from clawgw.config.mistakes import ConfigError, Mistake
from clawgw.config.snapshot import Snapshot
from clawgw.engine.live import Live
from clawgw.policies.load import LoadedPolicies, load_policies
from clawgw.serve.collecting import take_back
from clawgw.serve.readings import Readings
from clawgw.serve.tls import Tls
from clawgw.serve.wiring import Foundation, next_live
from clawgw.web.exposition import Reloads
from clawgw.web.model_labels import model_labels
from clawgw.web.service import Service


@frozen
class Loaded:
    """A configuration with all that had to be loaded to serve it. The policies are whoever's loaded them."""

    snapshot: Snapshot
    policies: LoadedPolicies
    tls: Tls


def load_all(choice: Choice, readings: Readings) -> Loaded:
    """The chosen configuration, checked whole. Blocks while policies are tried. Raises ConfigError."""
    snapshot = load_chosen(choice, os.environ, readings.read)
    tls = Tls.of(snapshot.settings.server)
    return Loaded(snapshot, load_policies(snapshot), tls)


@define
class ServingProcess:
    """A `reload.Site`."""

    choice: Choice
    service: Service
    foundation: Foundation
    tls: Tls
    _next: tuple[Live, Tls] | None = field(init=False, default=None)

    async def prepare(self, readings: Readings) -> Sequence[Mistake]:
        """Load in a thread, and build all that will serve."""
        try:
            loaded = await trio.to_thread.run_sync(load_all, self.choice, readings, abandon_on_cancel=True)
        except ConfigError as error:
            return error.mistakes
        live = next_live(self.foundation, loaded.snapshot, loaded.policies, self.service.gateway.live)
        self._next = live, loaded.tls
        await self.foundation.limits.expect(loaded.snapshot)
        return ()

    async def swap(self, reloads: Reloads) -> None:
        """One assignment. The old version is closed when its last request ends."""
        if self._next is None:
            raise RuntimeError("nothing was prepared")
        previous, (live, tls) = self.service.gateway.live, self._next
        self.service.gateway.live, self._next = live, None
        previous.retire()
        self.foundation.limits.seeding.adopt(live.snapshot)
        self.tls.current = tls.current
        self.service.metrics.configured(model_labels(live.snapshot, live.catalogue), live.snapshot.version)
        self.service.metrics.note_reloads(reloads)
        take_back()

    async def keep(self, reloads: Reloads) -> None:
        """Close what was prepared."""
        if self._next is not None:
            live, _ = self._next
            live.retire()
            self._next = None
        self.service.metrics.note_reloads(reloads)
