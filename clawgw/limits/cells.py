"""A bucket's state in the memory that workers share: what is used and when, or how many places are held since when.

A cell is read from a row of the table, changed and written back, by one worker at a time.
"""

from struct import Struct
from typing import Protocol

from attrs import define

from clawgw.limits import arithmetic
from clawgw.limits.arithmetic import LEASE_TICK_MS, LEASE_TICKS, SET_BACK_MS, Level, level_at, reset_ms
from clawgw.limits.bucket import Bucket, Spent

_AMOUNT = Struct("<16sqqq24x")
_PLACES = Struct("<16sqq8I")
_SET_BACK_TICKS = SET_BACK_MS // LEASE_TICK_MS


class Cell(Protocol):
    """What a store does with the state of a bucket of whatever kind."""

    @property
    def level(self) -> Level:
        """The present level."""

    @property
    def mark(self) -> int:
        """What a reservation remembers of the time at which it took something."""

    def take(self, amount: int) -> None:
        """Charge so much."""

    def settle(self, amount: int, used: int, mark: int) -> None:
        """`used` turned out to be what `amount` was taken for, at `mark`."""

    def pack(self, key: bytes) -> bytes:
        """The row of the table, for `unpack`."""


@define(eq=False)
class AmountCell:
    """A token bucket or a budget."""

    bucket: Bucket
    level: Level

    @classmethod
    def unpack(cls, bucket: Bucket, row: bytes, now_ms: int) -> "AmountCell":
        """The cell, brought to `now_ms`."""
        _, _, used, at_ms = _AMOUNT.unpack(row)
        return cls(bucket, level_at(bucket, Level(used, at_ms), now_ms))

    @property
    def mark(self) -> int:
        """The window of a budget."""
        return self.level.at_ms

    def take(self, amount: int) -> None:
        """As `Cell.take`."""
        self.level = arithmetic.take(self.bucket, self.level, amount)

    def settle(self, amount: int, used: int, mark: int) -> None:
        """As `Cell.settle`."""
        self.level = arithmetic.settle(self.bucket, self.level, amount, used, mark)

    def seed(self, spent: Spent) -> None:
        """As `LimitStore.seed`."""
        self.level = arithmetic.seed(self.level, spent)

    def pack(self, key: bytes) -> bytes:
        """As `Cell.pack`."""
        return _AMOUNT.pack(key, reset_ms(self.bucket, self.level, 0), *self.level)


@define(eq=False)
class PlacesCell:
    """Places, counted by the tick in which each was taken or last renewed: they end together."""

    tick: int
    counts: list[int]

    @classmethod
    def unpack(cls, _bucket: Bucket, row: bytes, now_ms: int) -> "PlacesCell":
        """The cell, brought to `now_ms`: places whose leases have ended are gone."""
        _, _, newest, *counts = _PLACES.unpack(row)
        tick = now_ms // LEASE_TICK_MS
        if 0 <= newest - tick <= _SET_BACK_TICKS:
            return cls(newest, counts)
        if not 0 < tick - newest < LEASE_TICKS:
            return cls(tick, [0] * LEASE_TICKS)
        for ended in range(newest + 1, tick + 1):
            counts[ended % LEASE_TICKS] = 0
        return cls(tick, counts)

    @property
    def level(self) -> Level:
        """As `Cell.level`."""
        return Level(sum(self.counts), 0)

    @property
    def mark(self) -> int:
        """The tick."""
        return self.tick

    def take(self, amount: int) -> None:
        """As `Cell.take`."""
        self.counts[self.tick % LEASE_TICKS] += amount

    def settle(self, amount: int, _used: int, mark: int) -> None:
        """As `Cell.settle`: free the places, where their leases have not ended."""
        if self.tick - mark < LEASE_TICKS:
            at = mark % LEASE_TICKS
            self.counts[at] = max(0, self.counts[at] - amount)

    def renew(self, amount: int, mark: int) -> int:
        """The leases of the places that were taken at `mark`, where they have not ended, begin anew; their new mark."""
        if self.tick - mark >= LEASE_TICKS:
            return mark
        self.settle(amount, 0, mark)
        self.take(amount)
        return self.tick

    def pack(self, key: bytes) -> bytes:
        """As `Cell.pack`."""
        ends_ms = (self.tick + LEASE_TICKS) * LEASE_TICK_MS if any(self.counts) else 0
        return _PLACES.pack(key, ends_ms, self.tick, *self.counts)


def unpack(bucket: Bucket, row: bytes, now_ms: int) -> Cell:
    """A bucket's cell at `now_ms`."""
    kind = PlacesCell if bucket.kind == "concurrent" else AmountCell
    return kind.unpack(bucket, row, now_ms)
