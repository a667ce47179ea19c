"""The store of limits of one process: what is taken is in a table, who took it is known here alone."""

from collections import defaultdict
from collections.abc import Callable, Sequence
from functools import lru_cache, partial

import trio
from attrs import define

from clawgw.limits.bucket import Bucket, Claim, Granted, Refused, Spent, Standing, Verdict, Wanted
from clawgw.limits.cells import AmountCell, Cell, PlacesCell, cell_of
from clawgw.limits.spending import Spending
from clawgw.limits.store import RENEW_MS
from clawgw.limits.table import Address, Table

CELLS_KEPT = 4096


@define(eq=False)
class _Reservation:
    held: list[tuple[Cell, int, int]]
    """Of each claim the cell, the amount, and when that was taken or last renewed."""
    expires_ms: int


class MemoryStore:
    """A `LimitStore` for a gateway of one worker; and what workers that share a table do while they hold its lock."""

    def __init__(self, now_ms: Callable[[], int], table: Table | None = None) -> None:
        """`now_ms`: since the epoch."""
        self._now_ms = now_ms
        self._table = table or Table()
        self._cell = lru_cache(CELLS_KEPT)(self._new_cell)
        self._reservations: dict[str, _Reservation] = {}

    @property
    def evicted(self) -> int:
        """How many buckets this process has forgotten for want of room."""
        return self._table.evicted

    async def reserve(self, wanted: Sequence[Wanted], expires_ms: int) -> Sequence[Verdict]:
        """As `LimitStore.reserve`."""
        return self.decide(wanted, expires_ms)

    def decide(self, wanted: Sequence[Wanted], expires_ms: int) -> Sequence[Verdict]:
        """`reserve`, which never waits."""
        now_ms, verdicts, changed = self._now_ms(), list[Verdict](), list[Cell]()
        for reservation, claims in wanted:
            taken = _Reservation([], now_ms + expires_ms)
            standings = self._take(taken, claims, now_ms)
            if standings is None:
                verdicts.append(self._refused(claims, now_ms))
                break
            verdicts.append(Granted(standings))
            changed += [cell for cell, _, _ in taken.held]
            self._reservations[reservation] = taken
        self._table.write(changed, now_ms)
        return verdicts

    def settle(self, reservation: str, used: Sequence[int]) -> None:
        """As `LimitStore.settle`."""
        known = self._reservations.pop(reservation, None)
        if known is None or (now_ms := self._now_ms()) >= known.expires_ms:
            return
        changed = []
        for (cell, amount, taken_at_ms), really in zip(known.held, used, strict=True):
            if really != amount or isinstance(cell, PlacesCell):
                cell.read(self._table, now_ms).settle(amount, really, taken_at_ms)
                changed.append(cell)
        self._table.write(changed, now_ms)

    def flush(self) -> None:
        """As `LimitStore.flush`: nothing waits."""

    def peek(self, bucket: Bucket) -> Standing | None:
        """As `LimitStore.peek`; needs no lock, so that what others are writing just now may be there in part."""
        now_ms = self._now_ms()
        return self._cell(bucket).read(self._table, now_ms).standing(now_ms)

    def seed(self, bucket: Bucket, spent: Spent) -> None:
        """As `LimitStore.seed`; of one ledger."""
        now_ms, budget = self._now_ms(), Spending(bucket)
        cell = AmountCell(budget, self._address(bucket))
        cell.read(self._table, now_ms)
        budget.seed(spent)
        self._table.write([cell], now_ms)

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
        return [partial(self._renew, cell, at_ms, holders) for (cell, at_ms), holders in self._holders().items()]

    def close(self) -> None:
        """Give the memory back; nothing else may be called after that."""
        self._table.close()

    def _take(self, taken: _Reservation, claims: Sequence[Claim], now_ms: int) -> Sequence[Standing] | None:
        """How the buckets stand after that, which is written nowhere yet; None: one of them holds too little."""
        standings = []
        for bucket, amount in claims:
            cell = self._cell(bucket)
            account = cell.read(self._table, now_ms)
            standing = account.take(now_ms, amount)
            if standing is None:
                return None
            standings.append(standing)
            taken.held.append((cell, amount, account.at_ms))
        return tuple(standings)

    def _refused(self, claims: Sequence[Claim], now_ms: int) -> Refused:
        """How they stood before, as the table says."""
        accounts = [(self._cell(bucket).read(self._table, now_ms), amount) for bucket, amount in claims]
        return Refused(tuple([account.standing(now_ms, amount) for account, amount in accounts]))

    def _new_cell(self, bucket: Bucket) -> Cell:
        return cell_of(bucket, self._address(bucket))

    def _address(self, bucket: Bucket) -> Address:
        return self._table.address(f"{bucket.scope}\0{bucket.name}\0{bucket.kind}\0{bucket.per}")

    def _holders(self) -> dict[tuple[PlacesCell, int], list[tuple[_Reservation, int]]]:
        """By cell and time, the reservations that took places then, each with the number of the claim."""
        holders = defaultdict(list)
        for reservation in self._reservations.values():
            for number, (cell, _, taken_at_ms) in enumerate(reservation.held):
                if isinstance(cell, PlacesCell):
                    holders[cell, taken_at_ms].append((reservation, number))
        return holders

    def _renew(self, cell: PlacesCell, taken_at_ms: int, holders: Sequence[tuple[_Reservation, int]]) -> None:
        now_ms = self._now_ms()
        amounts = [reservation.held[number][1] for reservation, number in holders]
        renewed_ms = cell.read(self._table, now_ms).renew(sum(amounts), taken_at_ms)
        self._table.write([cell], now_ms)
        for (reservation, number), amount in zip(holders, amounts, strict=True):
            reservation.held[number] = (cell, amount, renewed_ms)
