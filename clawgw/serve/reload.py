"""Reloading: everything is read and checked first, beside what serves; then one swap, or nothing.

The process that was started reads the files. What it has found is prepared where requests are served (its *site*: this
process, or workers), and only when all of that is good is the site told to swap.
"""

import logging
import os
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from math import inf
from typing import Protocol

import trio
from attrs import define, evolve, field

from clawgw.config.files import Choice, load_chosen
from clawgw.config.mistakes import ConfigError, Mistake
from clawgw.config.restart import restarts
from clawgw.config.snapshot import Snapshot
from clawgw.serve.checking import check_stores
from clawgw.serve.presence import Word
from clawgw.serve.readings import Readings
from clawgw.web.bugs import report_bug
from clawgw.web.exposition import Reloads

log = logging.getLogger("clawgw")

WATCH_S = 0.5
SETTLE_S = 0.2
"""Whoever has begun to change a file may need so long to finish."""
NEVER_S = inf
GONE = "is gone; to go on without it, leave an empty file"
"""Starting without a file is one thing. Losing one, while an editor moves it perhaps, must not open the gateway."""


class Site(Protocol):
    """Where requests are served. Each reload is an optional `prepare` and then `swap` or `keep`."""

    async def prepare(self, readings: Readings) -> Sequence[Mistake]:
        """Load what these files hold, policies too, without serving it; what is wrong with it. May raise anything."""

    async def swap(self, reloads: Reloads) -> None:
        """Serve what was prepared."""

    async def keep(self, reloads: Reloads) -> None:
        """Forget what was prepared, if anything was."""


@define
class Reloading:
    """`snapshot`, loaded from `served`, is what the site serves."""

    choice: Choice
    snapshot: Snapshot
    served: Readings
    publish: Callable[[Word], None]
    watch_s: float = NEVER_S
    """How often to look whether a file has changed."""
    reloads: Reloads = field(init=False, default=Reloads())
    at_rest: trio.Lock = field(init=False, factory=trio.Lock)
    """Held during a reload, and by whoever needs that there is none."""
    _seen: Readings = field(init=False)
    """What the last load has found, be it good or bad."""
    _asked: trio.Event = field(init=False, factory=trio.Event)

    def __attrs_post_init__(self) -> None:
        """Nothing has been loaded since the start."""
        self._seen = self.served

    def ask(self) -> None:
        """Reload soon. Asked during a reload, once more after it."""
        self._asked.set()

    async def run(self, site: Site) -> None:
        """Reload whenever it is asked for; where files are watched, also when one has changed. Until cancelled."""
        while True:
            await self._reason()
            self._asked = trio.Event()
            async with self.at_rest:
                await self._reload(site)

    async def _reason(self) -> None:
        while not self._asked.is_set():
            with trio.move_on_after(self.watch_s):
                await self._asked.wait()
                return
            changed = await trio.to_thread.run_sync(self._seen.changed, abandon_on_cancel=True)
            if changed:
                log.info("changed: %s", ", ".join(changed))
                await trio.sleep(SETTLE_S)
                return

    async def _reload(self, site: Site) -> None:
        at, before = time.time(), self.snapshot.version
        mistakes = await self._try(site)
        if mistakes:
            log.error("reload failed, configuration %s goes on serving:", before)
        else:
            log.info("reloaded: configuration %s, before it %s", self.snapshot.version, before)
        say(mistakes or (f"warning: {warning}" for warning in self.snapshot.warnings))
        self.publish(Word(at, not mistakes, self.snapshot.version, mistakes))

    async def _try(self, site: Site) -> Sequence[Mistake]:
        """Swap, or find out why not."""
        readings = self._seen = Readings()
        try:
            snapshot = await self._prepare(site, readings)
        except Exception as error:  # noqa: BLE001 - whatever it is, the old version goes on
            self.reloads = evolve(self.reloads, failed=self.reloads.failed + 1)
            await site.keep(self.reloads)
            return error.mistakes if isinstance(error, ConfigError) else [unexpected(error)]
        self.reloads = evolve(self.reloads, ok=self.reloads.ok + 1)
        self.snapshot, self.served = snapshot, readings
        await site.swap(self.reloads)
        return ()

    async def _prepare(self, site: Site, readings: Readings) -> Snapshot:
        """Raises ConfigError with all that is wrong."""
        snapshot = await trio.to_thread.run_sync(self._load, readings, abandon_on_cancel=True)
        gone = [Mistake(name, GONE) for name in readings.gone_since(self.served)]
        if mistakes := [*gone, *restarts(self.snapshot, snapshot), *await site.prepare(readings)]:
            raise ConfigError(mistakes)
        return snapshot

    def _load(self, readings: Readings) -> Snapshot:
        """Raises ConfigError."""
        snapshot = load_chosen(self.choice, os.environ, readings.read)
        check_stores(snapshot)
        return snapshot


def unexpected(error: Exception) -> Mistake:
    """A bug, or a machine in trouble, as what is wrong with a reload."""
    report_bug(error, "reload")
    return Mistake("reload", f"failed unexpectedly ({type(error).__name__})")


def say(lines: Iterable[object]) -> None:
    """Lines for whoever has started the gateway, on standard error, if somebody still reads that."""
    with suppress(OSError):
        for line in lines:
            sys.stderr.write(f"{line}\n")
        sys.stderr.flush()
