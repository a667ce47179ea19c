from collections.abc import Iterator

import pytest
from attrs import evolve

from clawgw.limits.arithmetic import LEASE_TICK_MS, Spending, TokenBucket
from clawgw.limits.bucket import Bucket
from clawgw.limits.cells import AmountCell, Cell, PlacesCell, cell_of
from clawgw.limits.table import Table

NOON = 1_709_208_000_000
TICK = NOON // LEASE_TICK_MS
PLACES = Bucket("key", "k", "concurrent", 100)
TEN = Bucket("key", "k", "requests", 10)
DAY = Bucket("key", "k", "usd", 1_000, "day")


@pytest.fixture
def table() -> Iterator[Table]:
    table = Table()
    yield table
    table.close()


@pytest.fixture
def cell(table: Table) -> PlacesCell:
    cell = cell_of(PLACES, table.address("places"))
    assert isinstance(cell, PlacesCell)
    cell.read(table, NOON)
    return cell


def in_ticks(cell: PlacesCell, ticks: int) -> PlacesCell:
    """The cell as it is found so many ticks later, or before."""
    table, found = Table(), cell_of(PLACES, cell.address)
    assert isinstance(found, PlacesCell)
    table.write([cell], NOON)
    found.read(table, (cell.mark + ticks) * LEASE_TICK_MS)
    table.close()
    return found


def used(cell: Cell) -> int:
    return cell.gauge.used


def test_places_end_eight_ticks_after_their_own(cell: PlacesCell) -> None:
    cell.take(5)
    cell = in_ticks(cell, 3)
    cell.take(7)
    assert [used(in_ticks(cell, ticks)) for ticks in (4, 5, 7, 8)] == [12, 7, 7, 0]


def test_a_clock_that_is_a_little_behind_ends_nothing_and_begins_nothing_earlier(cell: PlacesCell) -> None:
    cell.take(5)
    assert (used(in_ticks(cell, -16)), in_ticks(cell, -16).mark) == (5, TICK)
    assert (used(in_ticks(cell, -17)), in_ticks(cell, -17).mark) == (0, TICK - 17)


def test_settling_frees_places_that_have_not_ended(cell: PlacesCell) -> None:
    cell.take(5)
    later = in_ticks(cell, 7)
    later.settle(5, 0, TICK)
    assert used(later) == 0


def test_settling_frees_none_of_those_that_came_after_the_end(cell: PlacesCell) -> None:
    cell.take(5)
    later = in_ticks(cell, 8)
    later.take(5)
    later.settle(5, 0, TICK)
    assert used(later) == 5


def test_renewed_places_begin_anew_and_ended_ones_do_not(cell: PlacesCell) -> None:
    cell.take(5)
    renewed = in_ticks(cell, 7)
    assert renewed.renew(3, TICK) == TICK + 7
    assert [used(in_ticks(renewed, ticks)) for ticks in (0, 1, 7, 8)] == [5, 3, 3, 0]
    ended = in_ticks(cell, 8)
    assert ended.renew(5, TICK) == TICK
    assert used(ended) == 0


def test_a_row_says_from_when_on_it_says_nothing(cell: PlacesCell) -> None:
    def idle_ms(cell: Cell) -> int:
        row = cell.row()
        assert (row[:16], len(row)) == (cell.address.key, 64)
        return int.from_bytes(row[16:24], "little")

    assert idle_ms(cell) == 0
    cell.take(1)
    assert idle_ms(cell) == (TICK + 8) * LEASE_TICK_MS
    assert idle_ms(AmountCell(TokenBucket(TEN, 0, NOON), cell.address)) == 0
    assert idle_ms(AmountCell(TokenBucket(TEN, 61_000, NOON), cell.address)) == NOON + 6_100
    assert idle_ms(AmountCell(Spending(DAY, 1, NOON - 43_200_000), cell.address)) == NOON + 43_200_000


def test_a_budget_of_yesterday_is_not_settled_today(table: Table) -> None:
    today, tomorrow = (cell_of(DAY, table.address("day")) for _ in range(2))
    today.read(table, NOON)
    today.take(500)
    table.write([today], NOON)
    tomorrow.read(table, NOON + 86_400_000)
    tomorrow.take(300)
    tomorrow.settle(500, 0, today.mark)
    assert used(tomorrow) == 300


def test_a_cell_survives_another_limit(table: Table) -> None:
    ten, twenty = (cell_of(bucket, table.address("requests")) for bucket in (TEN, evolve(TEN, limit=20)))
    ten.read(table, NOON)
    ten.take(10)
    table.write([ten], NOON)
    twenty.read(table, NOON)
    assert (used(twenty), twenty.mark) == (600_000, NOON)


def test_a_cell_finds_its_row_again_where_it_was_and_where_it_was_not(table: Table) -> None:
    """What has taken its place meanwhile is another's."""
    ten, other = cell_of(TEN, table.address("a")), cell_of(TEN, table.address("b"))
    for cell in (ten, other):
        cell.read(table, NOON)
        cell.take(3)
        table.write([cell], NOON)
    ten.slot, found = other.slot, ten.slot
    ten.read(table, NOON)
    assert (ten.slot, used(ten)) == (found, 180_000)
