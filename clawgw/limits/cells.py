"""A bucket's state in the memory that workers share: what is used and when, or how many places are held since when.

A cell sets its gauge to what its row of the table says, and gives the row to write, by one worker at a time. It serves
its bucket again and again, so that what never changes is worked out once.
"""

from struct import Struct
from typing import Protocol

from attrs import define, field

from clawgw.limits.arithmetic import Account
from clawgw.limits.bucket import Bucket
from clawgw.limits.places import LeasedPlaces
from clawgw.limits.spending import Spending
from clawgw.limits.table import NOWHERE, Address, Slot, Table
from clawgw.limits.token_bucket import TokenBucket

_AMOUNT = Struct("<16sqqq24x")
_PLACES = Struct("<16sqq8I")


class Cell(Protocol):
    """What a store does with the state of a bucket of whatever kind."""

    address: Address
    slot: Slot
    """Where it was found."""

    @property
    def gauge(self) -> Account:
        """As it was read, and changed since."""

    def read(self, table: Table, now_ms: int) -> Account:
        """How it is, at `now_ms`. To change that is to write nothing yet."""

    def row(self) -> bytes:
        """What to write."""


@define(eq=False)
class AmountCell:
    """Of a token bucket or a budget."""

    gauge: Account
    address: Address
    slot: Slot = field(default=NOWHERE, init=False)

    def read(self, table: Table, now_ms: int) -> Account:
        """As `Cell.read`."""
        gauge = self.gauge
        key, _, gauge.used, gauge.at_ms = _AMOUNT.unpack_from(table.memory, self.slot)
        if key != self.address.key:
            self.slot = table.find(self.address)
            _, _, gauge.used, gauge.at_ms = _AMOUNT.unpack_from(table.memory, self.slot)
        gauge.advance(now_ms)
        return gauge

    def row(self) -> bytes:
        """As `Cell.row`."""
        gauge = self.gauge
        return _AMOUNT.pack(self.address.key, gauge.unused_from_ms, gauge.used, gauge.at_ms)


@define(eq=False)
class PlacesCell:
    """Of places."""

    gauge: LeasedPlaces
    address: Address
    slot: Slot = field(default=NOWHERE, init=False)

    def read(self, table: Table, now_ms: int) -> LeasedPlaces:
        """As `Cell.read`."""
        gauge = self.gauge
        key, _, gauge.at_ms, *gauge.counts = _PLACES.unpack_from(table.memory, self.slot)
        if key != self.address.key:
            self.slot = table.find(self.address)
            _, _, gauge.at_ms, *gauge.counts = _PLACES.unpack_from(table.memory, self.slot)
        gauge.advance(now_ms)
        return gauge

    def row(self) -> bytes:
        """As `Cell.row`."""
        gauge = self.gauge
        return _PLACES.pack(self.address.key, gauge.unused_from_ms, gauge.at_ms, *gauge.counts)


def cell_of(bucket: Bucket, address: Address) -> Cell:
    """That of a bucket."""
    match bucket.kind:
        case "usd":
            return AmountCell(Spending(bucket), address)
        case "concurrent":
            return PlacesCell(LeasedPlaces(bucket), address)
        case _:
            return AmountCell(TokenBucket(bucket), address)
