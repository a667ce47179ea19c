"""The log of a process that serves: its journal, synced to the disk in time, and how much of it waits for the sinks."""

import logging
from pathlib import Path
from typing import Self

import trio
from attrs import frozen

from clawgw.config.mistakes import ConfigError, Mistake
from clawgw.config.snapshot import Snapshot
from clawgw.ledger.journal.flush import Flusher
from clawgw.ledger.journal.journal import Journal
from clawgw.ledger.record import Opening, RequestRecord
from clawgw.ledger.sinks.backlog import Backlog
from clawgw.web.metrics import Metrics

log = logging.getLogger("clawgw")

_NOTE_EVERY_S = 1.0


@frozen
class Recording:
    """A `ledger.record.Ledger`."""

    journal: Journal
    flusher: Flusher
    backlog: Backlog

    @classmethod
    def of(cls, snapshot: Snapshot) -> Self:
        """As `[log]` says. Raises ConfigError."""
        settings = snapshot.settings.log
        try:
            journal = Journal.open(Path(settings.spool), settings.max_spool_bytes)
        except OSError as error:
            raise ConfigError([Mistake("log.spool", f"cannot be made: {error.strerror}")]) from None
        others = {"mongo": snapshot.mongo, "kafka": snapshot.kafka}
        sinks = ["sqlite", *(name for name, wanted in others.items() if wanted is not None)]
        return cls(journal, Flusher(journal, settings.fsync == "always"), Backlog(journal.spool, journal.folder, sinks))

    def intend(self, opening: Opening) -> None:
        """As `Ledger.intend`."""
        self.journal.intend(opening)

    def request_ended(self, record: RequestRecord) -> None:
        """As `Ledger.request_ended`."""
        self.journal.request_ended(record)

    async def durable(self) -> None:
        """As `Ledger.durable`."""
        await self.flusher.durable()

    async def run(self, metrics: Metrics) -> None:
        """Until cancelled."""
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self.flusher.run)
            while True:
                await self._note(metrics)
                await trio.sleep(_NOTE_EVERY_S)

    def close(self) -> None:
        """Leave the rest to the sinks."""
        self.journal.close()

    async def _note(self, metrics: Metrics) -> None:
        metrics.bodies_dropped(self.journal.dropped_bodies)
        self.journal.dropped_bodies = 0
        try:
            rows, self.journal.taken = await trio.to_thread.run_sync(self._waiting)
        except OSError as error:
            log.warning("log.spool cannot be looked at: %s", error)
        else:
            metrics.note_spool(rows, self.journal.taken)

    def _waiting(self) -> tuple[int, int]:
        """How many records some sink still lacks; the bytes of the whole spool."""
        return self.backlog.rows(self.journal.rows), self.journal.spool.bytes()
