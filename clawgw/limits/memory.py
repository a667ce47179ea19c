"""The store of limits of one process: what is taken is in a table, who took it is known here alone."""

from collections import defaultdict
from collections.abc import Callable, Sequence
from functools import lru_cache, partial

import trio
from attrs import define

from clawgw.limits.bucket import Bucket, Granted, Refused, Spent, Standing, Verdict, Wanted
from clawgw.limits.cells import AmountCell, Cell, PlacesCell, cell_of
from clawgw.limits.spending import Spending
from clawgw.limits.store import RENEW_MS
from clawgw.limits.table import Address, Table

ASKED_KEPT = 2048
"""So many sets of buckets that are asked together have their cells at hand."""


@define(eq=False)
class _Reservation:
    cells: Sequence[Cell]
    amounts: Sequence[int]
    taken_at_ms: list[int]
    """When each was taken, or its lease last renewed."""
    expires_ms: int


class MemoryStore:
    """A `LimitStore` for a gateway of one worker; and what workers that share a table do while they hold its lock."""

    def __init__(self, now_ms: Callable[[], int], table: Table | None = None) -> None:
        """`now_ms`: since the epoch."""
        self._now_ms = now_ms
        self._table = table or Table()
        self._cells = lru_cache(ASKED_KEPT)(self._new_cells)
        self._reservations: dict[str, _Reservation] = {}

    @property
    def degraded(self) -> None:
        """As `LimitStore.degraded`: it never is."""

    @property
    def evicted(self) -> int:
        """How many buckets this process has forgotten for want of room."""
        return self._table.evicted

    async def reserve(self, wanted: Sequence[Wanted], expires_ms: int) -> Sequence[Verdict]:
        """As `LimitStore.reserve`."""
        return self.decide(wanted, expires_ms)

    def decide(self, wanted: Sequence[Wanted], expires_ms: int) -> Sequence[Verdict]:
        """`reserve`, which never waits."""
        now_ms = self._now_ms()
        verdicts: list[Verdict] = []
        changed: list[Cell] = []
        for reservation, (buckets, amounts) in wanted:
            cells = self._cells(buckets)
            standings = self._take(cells, amounts, now_ms)
            if standings is None:
                verdicts.append(self._refused(cells, amounts, now_ms))
                break
            verdicts.append(Granted(standings))
            changed += cells
            taken_at_ms = [cell.gauge.at_ms for cell in cells]
            self._reservations[reservation] = _Reservation(cells, amounts, taken_at_ms, now_ms + expires_ms)
        self._table.write(changed, now_ms)
        return verdicts

    def settle(self, reservation: str, used: Sequence[int]) -> None:
        """As `LimitStore.settle`."""
        known = self._reservations.pop(reservation, None)
        if known is None or (now_ms := self._now_ms()) >= known.expires_ms:
            return
        changed: list[Cell] = []
        for cell, amount, really, at_ms in zip(known.cells, known.amounts, used, known.taken_at_ms, strict=True):
            if really != amount or isinstance(cell, PlacesCell):
                cell.read(self._table, now_ms).settle(amount, really, at_ms)
                changed.append(cell)
        self._table.write(changed, now_ms)

    def flush(self) -> None:
        """As `LimitStore.flush`: nothing waits."""

    def peek(self, bucket: Bucket) -> Standing | None:
        """As `LimitStore.peek`; needs no lock, so that what others are writing just now may be there in part."""
        now_ms, [cell] = self._now_ms(), self._cells((bucket,))
        return cell.read(self._table, now_ms).standing(now_ms)

    def seed(self, bucket: Bucket, spent: Spent) -> None:
        """As `LimitStore.seed`; of one ledger."""
        now_ms, budget = self._now_ms(), Spending(bucket)
        cell = AmountCell(budget, self._address(bucket))
        cell.read(self._table, now_ms)
        budget.seed(spent)
        self._table.write([cell], now_ms)

    async def run(self, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """As `LimitStore.run`; and forget what has expired."""
        task_status.started()
        while True:
            await trio.sleep(RENEW_MS / 1000)
            self.renew()

    def renew(self) -> None:
        """One turn of `run`."""
        for renewal in self.renewals():
            renewal()

    def renewals(self) -> Sequence[Callable[[], None]]:
        """The pieces of `renew`; they may be done one by one."""
        now_ms = self._now_ms()
        self._reservations = {name: kept for name, kept in self._reservations.items() if now_ms < kept.expires_ms}
        return [partial(self._renew, cell, at_ms, holders) for (cell, at_ms), holders in self._holders().items()]

    def close(self) -> None:
        """Give the memory back; nothing else may be called after that."""
        self._table.close()

    def _take(self, cells: Sequence[Cell], amounts: Sequence[int], now_ms: int) -> Sequence[Standing] | None:
        """How the buckets stand after that, which is written nowhere yet; None: one of them holds too little."""
        standings = []
        for cell, amount in zip(cells, amounts, strict=True):
            standing = cell.read(self._table, now_ms).take(now_ms, amount)
            if standing is None:
                return None
            standings.append(standing)
        return tuple(standings)

    def _refused(self, cells: Sequence[Cell], amounts: Sequence[int], now_ms: int) -> Refused:
        """How they stood before, as the table says."""
        pairs = zip(cells, amounts, strict=True)
        return Refused(tuple([cell.read(self._table, now_ms).standing(now_ms, amount) for cell, amount in pairs]))

    def _new_cells(self, buckets: tuple[Bucket, ...]) -> Sequence[Cell]:
        return tuple([cell_of(bucket, self._address(bucket)) for bucket in buckets])

    def _address(self, bucket: Bucket) -> Address:
        return self._table.address(repr(bucket.identity))

    def _holders(self) -> dict[tuple[PlacesCell, int], list[tuple[_Reservation, int]]]:
        """By cell and time, the reservations that took places then, each with the number of the claim."""
        holders = defaultdict(list)
        for reservation in self._reservations.values():
            for number, cell in enumerate(reservation.cells):
                if isinstance(cell, PlacesCell):
                    holders[cell, reservation.taken_at_ms[number]].append((reservation, number))
        return holders

    def _renew(self, cell: PlacesCell, taken_at_ms: int, holders: Sequence[tuple[_Reservation, int]]) -> None:
        now_ms = self._now_ms()
        amount = sum([reservation.amounts[number] for reservation, number in holders])
        renewed_ms = cell.read(self._table, now_ms).renew(amount, taken_at_ms)
        self._table.write([cell], now_ms)
        for reservation, number in holders:
            reservation.taken_at_ms[number] = renewed_ms
