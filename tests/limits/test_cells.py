import pytest
from attrs import evolve

from clawgw.limits.arithmetic import LEASE_TICK_MS, Level
from clawgw.limits.bucket import Bucket
from clawgw.limits.cells import AmountCell, PlacesCell, unpack

NOON = 1_709_208_000_000
TICK = NOON // LEASE_TICK_MS
PLACES = Bucket("key", "k", "concurrent", 100)
TEN = Bucket("key", "k", "requests", 10)
DAY = Bucket("key", "k", "usd", 1_000, "day")
KEY = bytes(range(16))
EMPTY = bytes(64)


def in_ticks(cell: PlacesCell, ticks: int) -> PlacesCell:
    """The cell as it is found so many ticks later, or before."""
    return PlacesCell.unpack(PLACES, cell.pack(KEY), (cell.tick + ticks) * LEASE_TICK_MS)


@pytest.fixture
def cell() -> PlacesCell:
    return PlacesCell.unpack(PLACES, EMPTY, NOON)


def test_places_end_eight_ticks_after_their_own(cell: PlacesCell) -> None:
    cell.take(5)
    cell = in_ticks(cell, 3)
    cell.take(7)
    assert [in_ticks(cell, ticks).level.used for ticks in (4, 5, 7, 8)] == [12, 7, 7, 0]


def test_a_clock_that_is_a_little_behind_ends_nothing_and_begins_nothing_earlier(cell: PlacesCell) -> None:
    cell.take(5)
    assert (in_ticks(cell, -16).level.used, in_ticks(cell, -16).mark) == (5, TICK)
    assert (in_ticks(cell, -17).level.used, in_ticks(cell, -17).mark) == (0, TICK - 17)


def test_settling_frees_places_that_have_not_ended(cell: PlacesCell) -> None:
    cell.take(5)
    later = in_ticks(cell, 7)
    later.settle(5, 0, TICK)
    assert later.level.used == 0


def test_settling_frees_none_of_those_that_came_after_the_end(cell: PlacesCell) -> None:
    cell.take(5)
    later = in_ticks(cell, 8)
    later.take(5)
    later.settle(5, 0, TICK)
    assert later.level.used == 5


def test_renewed_places_begin_anew_and_ended_ones_do_not(cell: PlacesCell) -> None:
    cell.take(5)
    renewed = in_ticks(cell, 7)
    assert renewed.renew(3, TICK) == TICK + 7
    assert [in_ticks(renewed, ticks).level.used for ticks in (0, 1, 7, 8)] == [5, 3, 3, 0]
    ended = in_ticks(cell, 8)
    assert ended.renew(5, TICK) == TICK
    assert ended.level.used == 0


def test_a_row_says_from_when_on_it_says_nothing(cell: PlacesCell) -> None:
    def idle_ms(row: bytes) -> int:
        assert row[:16] == KEY
        return int.from_bytes(row[16:24], "little")

    assert idle_ms(cell.pack(KEY)) == 0
    cell.take(1)
    assert idle_ms(cell.pack(KEY)) == (TICK + 8) * LEASE_TICK_MS
    assert idle_ms(AmountCell(TEN, Level(0, NOON)).pack(KEY)) == 0
    assert idle_ms(AmountCell(TEN, Level(61_000, NOON)).pack(KEY)) == NOON + 6_100
    assert idle_ms(AmountCell(DAY, Level(1, NOON - 43_200_000)).pack(KEY)) == NOON + 43_200_000


def test_a_budget_of_yesterday_is_not_settled_today() -> None:
    cell = AmountCell.unpack(DAY, EMPTY, NOON)
    cell.take(500)
    tomorrow = unpack(DAY, cell.pack(KEY), NOON + 86_400_000)
    tomorrow.take(300)
    tomorrow.settle(500, 0, cell.mark)
    assert tomorrow.level.used == 300


def test_a_cell_survives_another_limit() -> None:
    cell = AmountCell.unpack(TEN, EMPTY, NOON)
    cell.take(10)
    assert unpack(evolve(TEN, limit=20), cell.pack(KEY), NOON).level == Level(600_000, NOON)
