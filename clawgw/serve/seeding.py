"""Telling the store of limits what was spent of each budget before: at the start, and when it may have forgotten.

A budget is never less used than the log says: so this may be told at any time, by each worker, and more than once. It
is told again soon after that, and then once in a while: what requests cost that were running is only known later.
"""

import logging
import sqlite3
from collections.abc import Sequence
from pathlib import Path

import trio
from attrs import define, field

from clawgw.clock import now_ms
from clawgw.config.snapshot import Snapshot
from clawgw.ledger.journal.spool import Spool
from clawgw.ledger.sinks.schema import NewerDatabase
from clawgw.ledger.spending import Spender
from clawgw.ledger.spent import spending
from clawgw.limits.bucket import Bucket, Spent
from clawgw.limits.budgets import budgets
from clawgw.limits.store import LimitStore
from clawgw.limits.windows import window

log = logging.getLogger("clawgw")

PATIENCE_S = 5.0
"""For how long a start, or a reload, waits for it."""
SOON_S = 1.0
EVERY_S = 60.0


@define(eq=False)
class Seeding:
    """Of the budgets of one configuration at a time, from one log."""

    path: Path
    spool: Spool
    budgets: Sequence[Bucket]
    _asked: trio.Event = field(init=False, factory=trio.Event)

    @classmethod
    def of(cls, snapshot: Snapshot) -> "Seeding":
        """As `[log]` says."""
        settings = snapshot.settings.log
        return cls(Path(settings.path), Spool(Path(settings.spool)), budgets(snapshot))

    def ask(self) -> None:
        """Do it soon. In Trio's thread."""
        self._asked.set()

    def adopt(self, snapshot: Snapshot) -> None:
        """Do it for the budgets of this configuration from now on."""
        self.budgets = budgets(snapshot)
        self.ask()

    async def begin(self, store: LimitStore, wanted: Sequence[Bucket]) -> None:
        """Do it for these budgets before they are used, unless it takes long."""
        with trio.move_on_after(PATIENCE_S) as patience:
            await self._seed(store, wanted, self.spool)
        if patience.cancelled_caught:
            log.warning("budgets: it takes long to read what was spent; until that is known, they count from 0")
            self.ask()

    async def run(self, store: LimitStore) -> None:
        """Whenever asked, and again and again, until cancelled.

        The journals are read only when asked, lest a database that is away for hours costs more and more.
        """
        wait_s = SOON_S
        while True:
            with trio.move_on_after(wait_s):
                await self._asked.wait()
            asked, self._asked = self._asked.is_set(), trio.Event()
            wait_s = SOON_S if asked else min(2 * wait_s, EVERY_S)
            await self._seed(store, self.budgets, self.spool if asked else None)
            await trio.sleep(SOON_S)

    async def _seed(self, store: LimitStore, wanted: Sequence[Bucket], spool: Spool | None) -> None:
        began_ms = {bucket: window(bucket.per, now_ms())[0] for bucket in wanted}
        if not began_ms:
            return
        try:
            found = await trio.to_thread.run_sync(
                spending, self.path, spool, {*began_ms.values()}, abandon_on_cancel=True
            )
        except (sqlite3.Error, NewerDatabase, OSError) as error:
            log.warning("budgets: what was spent before cannot be read: %s", error)
            return
        for bucket, since_ms in began_ms.items():
            if amount := found.since[since_ms].get(Spender(bucket.scope, bucket.name)):
                store.seed(bucket, Spent(amount, since_ms, found.ledger))
