"""Reloading: everything is read and checked first, beside what serves; then one swap, or nothing.

The process that was started reads the files. What it has found is prepared where requests are served (its *site*: this
process, or workers), and only when all of that is good is the site told to swap.
"""

import logging
import os
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from math import inf
from typing import Protocol

import trio
from attrs import define, field

from clawgw.config.files import Choice, load_chosen
from clawgw.config.mistakes import ConfigError, Mistake
from clawgw.config.restart import restarts
from clawgw.config.snapshot import Snapshot
from clawgw.serve.presence import Word
from clawgw.serve.readings import Readings
from clawgw.web.bugs import report_bug

log = logging.getLogger("clawgw")

WATCH_S = 0.5
NEVER_S = inf


class Site(Protocol):
    """Where requests are served. Each reload is an optional `prepare` and then `swap` or `keep`."""

    async def prepare(self, readings: Readings) -> Sequence[Mistake]:
        """Load what these files hold, policies too, without serving it; what is wrong with it. May raise anything."""

    async def swap(self) -> None:
        """Serve what was prepared."""

    async def keep(self) -> None:
        """Forget what was prepared, if anything was."""


@define
class Reloading:
    """`snapshot` is served at `site`; `readings` is what the last load has found, be it good or bad."""

    choice: Choice
    snapshot: Snapshot
    readings: Readings
    site: Site
    publish: Callable[[Word], None]
    watch_s: float = NEVER_S
    """How often to look whether a file has changed."""
    _asked: trio.Event = field(init=False, factory=trio.Event)
    _count: int = field(init=False, default=0)

    def ask(self) -> None:
        """Reload soon. Asked during a reload, once more after it."""
        self._asked.set()

    async def run(self) -> None:
        """Reload whenever it is asked for; where files are watched, also when one has changed. Until cancelled."""
        while True:
            await self._reason()
            self._asked = trio.Event()
            await self._reload()

    async def _reason(self) -> None:
        while not self._asked.is_set():
            with trio.move_on_after(self.watch_s):
                await self._asked.wait()
                return
            changed = await trio.to_thread.run_sync(self.readings.changed, abandon_on_cancel=True)
            if changed:
                log.info("changed: %s", ", ".join(changed))
                return

    async def _reload(self) -> None:
        at, before = time.time(), self.snapshot.version
        mistakes = await self._try()
        self._count += 1
        self.publish(Word(at, not mistakes, self.snapshot.version, mistakes, self._count))
        if mistakes:
            log.error("reload failed, configuration %s goes on serving:", before)
        else:
            log.info("reloaded: configuration %s, before it %s", self.snapshot.version, before)
        say(mistakes or (f"warning: {warning}" for warning in self.snapshot.warnings))

    async def _try(self) -> Sequence[Mistake]:
        """Swap, or find out why not."""
        try:
            snapshot = await self._load()
            not_now = [*restarts(self.snapshot.settings, snapshot.settings)]
            if mistakes := [*not_now, *await self.site.prepare(self.readings)]:
                raise ConfigError(mistakes)  # noqa: TRY301 - caught with those of the load
        except ConfigError as error:
            await self.site.keep()
            return error.mistakes
        except Exception as error:  # noqa: BLE001 - whatever it is, the old version goes on
            await self.site.keep()
            return failure(error)
        await self.site.swap()
        self.snapshot = snapshot
        return ()

    async def _load(self) -> Snapshot:
        readings = Readings()
        try:
            return await trio.to_thread.run_sync(
                load_chosen, self.choice, os.environ, readings.read, abandon_on_cancel=True
            )
        finally:
            self.readings = readings


def failure(error: Exception) -> Sequence[Mistake]:
    """A bug, or a machine in trouble, as what is wrong with a reload."""
    report_bug(error, "reload")
    return [Mistake("reload", f"failed unexpectedly ({type(error).__name__})")]


def say(lines: Iterable[object]) -> None:
    """Lines for whoever has started the gateway, on standard error."""
    for line in lines:
        sys.stderr.write(f"{line}\n")
    sys.stderr.flush()
