"""The store of limits of one process: what is taken is in a table, who took it is known here alone."""

import logging
from collections import defaultdict
from collections.abc import Callable, Sequence
from functools import lru_cache, partial

import trio
from attrs import define

from clawgw.limits.arithmetic import Spending
from clawgw.limits.bucket import Bucket, Granted, Refused, Spent, Standing, Verdict, Wanted
from clawgw.limits.cells import AmountCell, Cell, PlacesCell, cell_of
from clawgw.limits.store import RENEW_MS
from clawgw.limits.table import Address, Table

CELLS_KEPT = 4096

log = logging.getLogger("clawgw")


@define(eq=False)
class _Reservation:
    cells: Sequence[Cell]
    amounts: Sequence[int]
    marks: list[int]
    """Of each cell, when it was taken of or last renewed."""
    expires_ms: int


class MemoryStore:
    """A `LimitStore` for a gateway of one worker; and what workers that share a table do while they hold its lock."""

    def __init__(self, now_ms: Callable[[], int], table: Table | None = None) -> None:
        """`now_ms`: since the epoch."""
        self._now_ms = now_ms
        self._table = table or Table()
        self._cell = lru_cache(CELLS_KEPT)(self._new_cell)
        self._reservations: dict[str, _Reservation] = {}
        self._crowded = False

    @property
    def evicted(self) -> int:
        """How many buckets this process has forgotten for want of room."""
        return self._table.evicted

    async def reserve(self, wanted: Sequence[Wanted], expires_ms: int) -> Sequence[Verdict]:
        """As `LimitStore.reserve`."""
        return self.decide(wanted, expires_ms)

    def decide(self, wanted: Sequence[Wanted], expires_ms: int) -> Sequence[Verdict]:
        """`reserve`, which never waits."""
        now_ms, verdicts, taken = self._now_ms(), list[Verdict](), list[Cell]()
        for reservation, claims in wanted:
            amounts = [amount for _, amount in claims]
            cells = [self._cell(bucket) for bucket, _ in claims]
            verdict = self._decided(cells, amounts, now_ms)
            verdicts.append(verdict)
            if isinstance(verdict, Refused):
                break
            taken += cells
            self._reservations[reservation] = _Reservation(
                cells, amounts, [cell.mark for cell in cells], now_ms + expires_ms
            )
        self._write(taken, now_ms)
        return verdicts

    def settle(self, reservation: str, used: Sequence[int]) -> None:
        """As `LimitStore.settle`."""
        known = self._reservations.pop(reservation, None)
        if known is None or (now_ms := self._now_ms()) >= known.expires_ms:
            return
        changed = []
        for cell, amount, really, mark in zip(known.cells, known.amounts, used, known.marks, strict=True):
            if really != amount or isinstance(cell, PlacesCell):
                cell.read(self._table, now_ms)
                cell.settle(amount, really, mark)
                changed.append(cell)
        self._write(changed, now_ms)

    def peek(self, bucket: Bucket) -> Standing | None:
        """As `LimitStore.peek`; needs no lock, so that what others are writing just now may be there in part."""
        now_ms = self._now_ms()
        cell = self._cell(bucket)
        cell.read(self._table, now_ms)
        return cell.gauge.standing(now_ms)

    def seed(self, bucket: Bucket, spent: Spent) -> None:
        """As `LimitStore.seed`; of one ledger."""
        now_ms, budget = self._now_ms(), Spending(bucket)
        cell = AmountCell(budget, self._address(bucket))
        cell.read(self._table, now_ms)
        budget.seed(spent)
        self._write([cell], now_ms)

    async def run(self) -> None:
        """As `LimitStore.run`; and forget what has expired."""
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
        return [partial(self._renew, cell, mark, holders) for (cell, mark), holders in self._holders().items()]

    def close(self) -> None:
        """Give the memory back; nothing else may be called after that."""
        self._table.close()

    def _decided(self, cells: Sequence[Cell], amounts: Sequence[int], now_ms: int) -> Verdict:
        for cell in cells:
            cell.read(self._table, now_ms)
        for cell, amount in zip(cells, amounts, strict=True):
            if cell.gauge.wait_ms(now_ms, amount):
                asked = zip(cells, amounts, strict=True)
                return Refused(tuple([cell.gauge.standing(now_ms, amount) for cell, amount in asked]))
        for cell, amount in zip(cells, amounts, strict=True):
            cell.take(amount)
        return Granted(tuple([cell.gauge.standing(now_ms) for cell in cells]))

    def _new_cell(self, bucket: Bucket) -> Cell:
        return cell_of(bucket, self._address(bucket))

    def _address(self, bucket: Bucket) -> Address:
        return self._table.address(f"{bucket.scope}\0{bucket.name}\0{bucket.kind}\0{bucket.per}")

    def _write(self, cells: Sequence[Cell], now_ms: int) -> None:
        self._table.write(cells, now_ms)
        if self._table.evicted and not self._crowded:
            self._crowded = True
            log.warning("limits: more buckets are in use than there is room for; those that fill soonest are forgotten")

    def _holders(self) -> dict[tuple[PlacesCell, int], list[tuple[_Reservation, int]]]:
        """By cell and mark, the reservations that hold places, each with the number of the cell among its own."""
        holders = defaultdict(list)
        for reservation in self._reservations.values():
            for number, (cell, mark) in enumerate(zip(reservation.cells, reservation.marks, strict=True)):
                if isinstance(cell, PlacesCell):
                    holders[cell, mark].append((reservation, number))
        return holders

    def _renew(self, cell: PlacesCell, mark: int, holders: Sequence[tuple[_Reservation, int]]) -> None:
        now_ms = self._now_ms()
        cell.read(self._table, now_ms)
        renewed = cell.renew(sum(reservation.amounts[number] for reservation, number in holders), mark)
        self._write([cell], now_ms)
        for reservation, number in holders:
            reservation.marks[number] = renewed
