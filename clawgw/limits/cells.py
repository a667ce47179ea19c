"""A bucket's state in the memory that workers share: what is used and when, or how many places are held since when.

A cell reads its row of the table, changes what it says, and gives the row to write, by one worker at a time. It serves
its bucket again and again, so that what never changes is worked out once.
"""

from struct import Struct
from typing import Protocol

from attrs import define, field

from clawgw.limits.arithmetic import (
    LEASE_TICK_MS,
    LEASE_TICKS,
    SET_BACK_MS,
    Account,
    Gauge,
    Places,
    Spending,
    TokenBucket,
)
from clawgw.limits.bucket import Bucket
from clawgw.limits.table import NOWHERE, Address, Slot, Table

_AMOUNT = Struct("<16sqqq24x")
_PLACES = Struct("<16sqq8I")
_SET_BACK_TICKS = SET_BACK_MS // LEASE_TICK_MS


class Cell(Protocol):
    """What a store does with the state of a bucket of whatever kind."""

    address: Address
    slot: Slot
    """Where it was found."""

    @property
    def gauge(self) -> Gauge:
        """At the present level."""

    @property
    def mark(self) -> int:
        """What a reservation remembers of the time at which it took something."""

    def read(self, table: Table, now_ms: int) -> None:
        """See how it is, at `now_ms`."""

    def take(self, amount: int) -> None:
        """Charge so much."""

    def settle(self, amount: int, used: int, mark: int) -> None:
        """`used` turned out to be what `amount` was taken for, at `mark`."""

    def row(self) -> bytes:
        """What to write."""


@define(eq=False)
class AmountCell:
    """A token bucket or a budget. The mark is its time, of a budget the window's."""

    gauge: Account
    address: Address
    slot: Slot = field(default=NOWHERE, init=False)

    @property
    def mark(self) -> int:
        """As `Cell.mark`."""
        return self.gauge.at_ms

    def read(self, table: Table, now_ms: int) -> None:
        """As `Cell.read`."""
        gauge = self.gauge
        key, _, gauge.used, gauge.at_ms = _AMOUNT.unpack_from(table.memory, self.slot)
        if key != self.address.key:
            self.slot = table.find(self.address)
            _, _, gauge.used, gauge.at_ms = _AMOUNT.unpack_from(table.memory, self.slot)
        gauge.advance(now_ms)

    def take(self, amount: int) -> None:
        """As `Cell.take`."""
        self.gauge.take(amount)

    def settle(self, amount: int, used: int, mark: int) -> None:
        """As `Cell.settle`."""
        self.gauge.settle(amount, used, mark)

    def row(self) -> bytes:
        """As `Cell.row`."""
        gauge = self.gauge
        return _AMOUNT.pack(self.address.key, gauge.unused_from_ms(), gauge.used, gauge.at_ms)


@define(eq=False)
class PlacesCell:
    """Places, counted by the tick in which each was taken or last renewed: they end together. The mark is that tick."""

    gauge: Places
    address: Address
    slot: Slot = field(default=NOWHERE, init=False)
    mark: int = field(default=0, init=False)
    _counts: list[int] = field(factory=list, init=False)

    def read(self, table: Table, now_ms: int) -> None:
        """As `Cell.read`: places whose leases have ended are gone."""
        key, _, newest, *counts = _PLACES.unpack_from(table.memory, self.slot)
        if key != self.address.key:
            self.slot = table.find(self.address)
            _, _, newest, *counts = _PLACES.unpack_from(table.memory, self.slot)
        self.mark, self._counts = _present(newest, counts, now_ms // LEASE_TICK_MS)
        self.gauge.used = sum(self._counts)

    def take(self, amount: int) -> None:
        """As `Cell.take`."""
        self._add(amount, self.mark)

    def settle(self, amount: int, _used: int, mark: int) -> None:
        """As `Cell.settle`: free the places, where their leases have not ended."""
        if self.mark - mark < LEASE_TICKS:
            self._add(-min(amount, self._counts[mark % LEASE_TICKS]), mark)

    def renew(self, amount: int, mark: int) -> int:
        """The leases of the places that were taken at `mark`, where they have not ended, begin anew; their new mark."""
        if self.mark - mark >= LEASE_TICKS:
            return mark
        self.settle(amount, 0, mark)
        self.take(amount)
        return self.mark

    def row(self) -> bytes:
        """As `Cell.row`."""
        ends_ms = (self.mark + LEASE_TICKS) * LEASE_TICK_MS if self.gauge.used else 0
        return _PLACES.pack(self.address.key, ends_ms, self.mark, *self._counts)

    def _add(self, amount: int, tick: int) -> None:
        self._counts[tick % LEASE_TICKS] += amount
        self.gauge.used += amount


def cell_of(bucket: Bucket, address: Address) -> Cell:
    """That of a bucket."""
    match bucket.kind:
        case "usd":
            return AmountCell(Spending(bucket), address)
        case "concurrent":
            return PlacesCell(Places(bucket), address)
        case _:
            return AmountCell(TokenBucket(bucket), address)


def _present(newest: int, counts: list[int], tick: int) -> tuple[int, list[int]]:
    """The tick that counts, and the counts of those since."""
    passed = tick - newest
    if -_SET_BACK_TICKS <= passed <= 0:
        return newest, counts
    if not 0 < passed < LEASE_TICKS:
        return tick, [0] * LEASE_TICKS
    for ended in range(newest + 1, tick + 1):
        counts[ended % LEASE_TICKS] = 0
    return tick, counts
