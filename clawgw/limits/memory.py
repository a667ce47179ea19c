"""The store of limits of one process: what is taken is in a table, who took it is known here alone."""

import logging
from collections import defaultdict
from collections.abc import Callable, Sequence
from functools import lru_cache, partial

import trio
from attrs import define

from clawgw.limits.arithmetic import standing, wait_ms
from clawgw.limits.bucket import Bucket, Claim, Granted, Refused, Spent, Standing, Verdict
from clawgw.limits.cells import AmountCell, Cell, PlacesCell, unpack
from clawgw.limits.store import RENEW_MS
from clawgw.limits.table import Address, Slot, Table

ADDRESSES_KEPT = 4096

log = logging.getLogger("clawgw")


@define(eq=False)
class _Reservation:
    claims: Sequence[Claim]
    marks: list[int]
    """Of each claim's cell, when it was taken or last renewed."""
    expires_ms: int


_Found = tuple[Address, Slot | None, Cell]


class MemoryStore:
    """A `LimitStore` for a gateway of one worker; and what workers that share a table do while they hold its lock."""

    def __init__(self, now_ms: Callable[[], int], table: Table | None = None) -> None:
        """`now_ms`: since the epoch."""
        self._now_ms = now_ms
        self._table = table or Table()
        self._address = lru_cache(ADDRESSES_KEPT)(self._address_of)
        self._reservations: dict[str, _Reservation] = {}
        self._crowded = False

    @property
    def evicted(self) -> int:
        """How many buckets this process has forgotten for want of room."""
        return self._table.evicted

    async def reserve(self, reservation: str, claims: Sequence[Claim], expires_ms: int) -> Verdict:
        """As `LimitStore.reserve`."""
        return self.decide(reservation, claims, expires_ms)

    def decide(self, reservation: str, claims: Sequence[Claim], expires_ms: int) -> Verdict:
        """`reserve`, which never waits."""
        now_ms = self._now_ms()
        found = [self._find(claim.bucket, now_ms) for claim in claims]
        wanted = [(claim.bucket, cell, claim.amount) for claim, (_, _, cell) in zip(claims, found, strict=True)]
        for bucket, cell, amount in wanted:
            if wait_ms(bucket, cell.level, now_ms, amount):
                return Refused(tuple([standing(bucket, cell.level, now_ms, amount) for bucket, cell, amount in wanted]))
        for _, cell, amount in wanted:
            cell.take(amount)
        self._write(found, now_ms)
        marks = [cell.mark for _, cell, _ in wanted]
        self._reservations[reservation] = _Reservation(claims, marks, now_ms + expires_ms)
        return Granted(tuple([standing(bucket, cell.level, now_ms) for bucket, cell, _ in wanted]))

    def settle(self, reservation: str, used: Sequence[int]) -> None:
        """As `LimitStore.settle`."""
        now_ms, known = self._now_ms(), self._reservations.pop(reservation, None)
        if known is None or now_ms >= known.expires_ms:
            return
        found = [self._find(claim.bucket, now_ms) for claim in known.claims]
        for claim, (_, _, cell), mark, amount in zip(known.claims, found, known.marks, used, strict=True):
            cell.settle(claim.amount, amount, mark)
        self._write(found, now_ms)

    def peek(self, bucket: Bucket) -> Standing | None:
        """As `LimitStore.peek`; needs no lock, so that what others are writing just now may be there in part."""
        now_ms = self._now_ms()
        _, _, cell = self._find(bucket, now_ms)
        return standing(bucket, cell.level, now_ms)

    def seed(self, bucket: Bucket, spent: Spent) -> None:
        """As `LimitStore.seed`; of one ledger."""
        now_ms, address = self._now_ms(), self._address(bucket)
        slot, row = self._table.find(address)
        cell = AmountCell.unpack(bucket, row, now_ms)
        cell.seed(spent)
        self._write([(address, slot, cell)], now_ms)

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
        return [partial(self._renew, bucket, mark, holders) for (bucket, mark), holders in self._holders().items()]

    def close(self) -> None:
        """Give the memory back; nothing else may be called after that."""
        self._table.close()

    def _address_of(self, bucket: Bucket) -> Address:
        return self._table.address(f"{bucket.scope}\0{bucket.name}\0{bucket.kind}\0{bucket.per}")

    def _find(self, bucket: Bucket, now_ms: int) -> _Found:
        address = self._address(bucket)
        slot, row = self._table.find(address)
        return address, slot, unpack(bucket, row, now_ms)

    def _write(self, found: Sequence[_Found], now_ms: int) -> None:
        self._table.write([(address, slot, cell.pack(address.key)) for address, slot, cell in found], now_ms)
        if self._table.evicted and not self._crowded:
            self._crowded = True
            log.warning("limits: more buckets are in use than there is room for; those that fill soonest are forgotten")

    def _holders(self) -> dict[tuple[Bucket, int], list[tuple[_Reservation, int]]]:
        """By bucket and mark, the reservations that hold places, each with the number of its claim."""
        holders = defaultdict(list)
        for reservation in self._reservations.values():
            for number, claim in enumerate(reservation.claims):
                if claim.bucket.kind == "concurrent":
                    holders[claim.bucket, reservation.marks[number]].append((reservation, number))
        return holders

    def _renew(self, bucket: Bucket, mark: int, holders: Sequence[tuple[_Reservation, int]]) -> None:
        now_ms, address = self._now_ms(), self._address(bucket)
        slot, row = self._table.find(address)
        cell = PlacesCell.unpack(bucket, row, now_ms)
        renewed = cell.renew(sum(reservation.claims[number].amount for reservation, number in holders), mark)
        self._write([(address, slot, cell)], now_ms)
        for reservation, number in holders:
            reservation.marks[number] = renewed
