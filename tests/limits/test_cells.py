from collections.abc import Iterator

import pytest
from attrs import evolve

from clawgw.limits.bucket import Bucket
from clawgw.limits.cells import Cell, cell_of
from clawgw.limits.table import Table

NOON = 1_709_208_000_000
"""When a tick of leases begins."""
MIDNIGHT = NOON + 43_200_000
PLACES = Bucket("key", "k", "concurrent", 100)
TEN = Bucket("key", "k", "requests", 10)
DAY = Bucket("key", "k", "usd", 1_000, "day")


@pytest.fixture
def table() -> Iterator[Table]:
    table = Table()
    yield table
    table.close()


def take(table: Table, cell: Cell, amount: int) -> None:
    cell.read(table, NOON).take(NOON, amount)
    table.write([cell], NOON)


@pytest.mark.parametrize(
    ("bucket", "idle_ms", "used", "later_ms"),
    [(TEN, NOON + 18_000, 180_000, NOON), (PLACES, NOON + 30_000, 3, NOON + 29_999), (DAY, MIDNIGHT, 3, MIDNIGHT - 1)],
)
def test_a_row_says_what_is_used_and_from_when_on_it_says_nothing(
    table: Table, bucket: Bucket, idle_ms: int, used: int, later_ms: int
) -> None:
    address = table.address("here")
    take(table, cell_of(bucket, address), 3)
    found = table.find(address)
    row = table.memory[found : found + 64]
    assert (row[:16], int.from_bytes(row[16:24], "little")) == (address.key, idle_ms)
    assert cell_of(bucket, address).read(table, later_ms).used == used
    assert cell_of(bucket, address).read(table, idle_ms).used == 0


def test_places_are_told_by_when_they_were_taken(table: Table) -> None:
    cell = cell_of(PLACES, table.address("places"))
    take(table, cell, 5)
    later = cell.read(table, NOON + 26_250)
    later.take(NOON + 26_250, 7)
    table.write([cell], NOON)
    assert [cell.read(table, NOON + ms).used for ms in (29_999, 30_000, 56_250)] == [12, 7, 0]


def test_what_was_not_written_has_not_happened(table: Table) -> None:
    for number, bucket in enumerate((TEN, PLACES, DAY)):
        cell = cell_of(bucket, table.address(str(number)))
        take(table, cell, 3)
        used = cell.read(table, NOON).used
        cell.read(table, NOON).take(NOON, 4)
        assert cell.read(table, NOON).used == used


def test_a_budget_of_yesterday_is_not_settled_today(table: Table) -> None:
    cell = cell_of(DAY, table.address("day"))
    today_ms = cell.read(table, NOON).at_ms
    take(table, cell, 500)
    tomorrow = cell.read(table, NOON + 86_400_000)
    tomorrow.take(NOON + 86_400_000, 300)
    tomorrow.settle(500, 0, today_ms)
    assert tomorrow.used == 300


def test_a_cell_survives_another_limit(table: Table) -> None:
    ten, twenty = (cell_of(bucket, table.address("requests")) for bucket in (TEN, evolve(TEN, limit=20)))
    take(table, ten, 10)
    at_twenty = twenty.read(table, NOON)
    assert (at_twenty.used, at_twenty.at_ms, at_twenty.standing(NOON).remaining) == (600_000, NOON, 10)


@pytest.mark.parametrize(("bucket", "used"), [(TEN, 180_000), (PLACES, 3)])
def test_a_cell_finds_its_row_again_where_it_was_and_where_it_was_not(table: Table, bucket: Bucket, used: int) -> None:
    """What has taken its place meanwhile is another's."""
    here, other = cell_of(bucket, table.address("a")), cell_of(bucket, table.address("b"))
    for cell in (here, other):
        take(table, cell, 3)
    here.slot, found = other.slot, here.slot
    assert (here.read(table, NOON).used, here.slot) == (used, found)
