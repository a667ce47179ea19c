"""When the journal is made to survive the machine: once a second, or before anybody is told (`log.fsync`)."""

import logging

import trio
from attrs import define, field

from clawgw.errors import LogSpoolFull
from clawgw.ledger.journal.journal import Journal

log = logging.getLogger("clawgw")

EVERY_S = 1.0


@define(eq=False)
class Flusher:
    """Syncs one journal, in a thread. `always`: whoever waits for `durable` is told when it is true."""

    journal: Journal
    always: bool
    _synced: int = field(init=False, default=0)
    _turn: trio.Lock = field(init=False, factory=trio.Lock)

    async def run(self) -> None:
        """Once a second, until cancelled."""
        while True:
            await trio.sleep(EVERY_S)
            try:
                await self._sync()
            except OSError as error:
                log.error("the log cannot be synced to the disk: %s", error)  # noqa: TRY400 - it says all

    async def durable(self) -> None:
        """Until all that has been written so far survives the machine, if it is to. Raises `LogSpoolFull`.

        Those who wait while a sync goes on share the next one.
        """
        if self.always:
            try:
                await self._sync()
            except OSError as error:
                log.error("the log cannot be synced to the disk: %s", error)  # noqa: TRY400 - it says all
                raise LogSpoolFull("the gateway cannot sync its log to the disk") from None

    async def _sync(self) -> None:
        wanted = self.journal.frames
        async with self._turn:
            if self._synced < wanted:
                upto = self.journal.frames
                await trio.to_thread.run_sync(self.journal.sync)
                self._synced = upto
