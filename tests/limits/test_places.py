from attrs import evolve

from clawgw.limits.bucket import Bucket, Standing
from clawgw.limits.places import LEASE_MS, LEASE_TICK_MS, LeasedPlaces
from clawgw.limits.store import RENEW_MS

NOON = 1_709_208_000_000
"""When a tick begins."""
PLACES = Bucket("key", "k", "concurrent", 100)


def taken(amount: int) -> LeasedPlaces:
    gauge = LeasedPlaces(PLACES)
    gauge.advance(NOON)
    assert gauge.take(NOON, amount) == Standing(PLACES, 100 - amount, 0)
    return gauge


def in_ticks(gauge: LeasedPlaces, ticks: int) -> LeasedPlaces:
    """As it is so many ticks later, or before."""
    later = evolve(gauge, counts=[*gauge.counts])
    later.advance(gauge.at_ms + ticks * LEASE_TICK_MS)
    return later


def test_places_end_eight_ticks_after_their_own() -> None:
    gauge = in_ticks(taken(5), 3)
    gauge.take(NOON, 7)
    assert [in_ticks(gauge, ticks).used for ticks in (4, 5, 7, 8)] == [12, 7, 7, 0]


def test_leases_last_long_enough_for_a_renewal_that_is_late() -> None:
    for now_ms in (NOON, NOON + LEASE_TICK_MS - 1):
        gauge = LeasedPlaces(PLACES)
        gauge.advance(now_ms)
        gauge.take(now_ms, 1)
        assert 2 * RENEW_MS < gauge.unused_from_ms - now_ms <= LEASE_MS
        gauge.advance(gauge.unused_from_ms - 1)
        assert gauge.used == 1
        gauge.advance(gauge.unused_from_ms)
        assert gauge.used == 0


def test_there_are_no_more_than_there_are() -> None:
    gauge = taken(60)
    assert gauge.take(NOON, 41) is None
    assert gauge.standing(NOON, 41) == Standing(PLACES, 40, 0, 1_000)
    assert gauge.take(NOON, 40) == Standing(PLACES, 0, 0)


def test_a_clock_that_is_a_little_behind_ends_nothing_and_begins_nothing_earlier() -> None:
    gauge = taken(5)
    assert (in_ticks(gauge, -16).used, in_ticks(gauge, -16).at_ms) == (5, NOON)
    assert (in_ticks(gauge, -17).used, in_ticks(gauge, -17).at_ms) == (0, NOON - 17 * LEASE_TICK_MS)


def test_settling_frees_places_that_have_not_ended() -> None:
    later = in_ticks(taken(5), 7)
    later.settle(5, 0, NOON)
    assert (later.used, later.unused_from_ms) == (0, 0)


def test_settling_frees_none_of_those_that_came_after_the_end() -> None:
    later = in_ticks(taken(5), 8)
    later.take(NOON, 5)
    later.settle(5, 0, NOON)
    assert later.used == 5


def test_settling_frees_no_more_than_are_held_since_then() -> None:
    later = in_ticks(taken(2), 3)
    later.take(NOON, 4)
    later.settle(5, 0, NOON)
    assert later.used == 4


def test_places_of_before_a_clock_was_set_back_are_neither_freed_nor_renewed() -> None:
    """A whole lease earlier their tick has the number of another, whose places are others'."""
    back = in_ticks(taken(5), -24)
    back.take(NOON, 3)
    back.settle(5, 0, NOON)
    assert back.used == 3
    assert back.renew(5, NOON) == NOON
    assert back.used == 3


def test_renewed_places_begin_anew_and_ended_ones_do_not() -> None:
    renewed = in_ticks(taken(5), 7)
    assert renewed.renew(3, NOON) == NOON + 7 * LEASE_TICK_MS
    assert [in_ticks(renewed, ticks).used for ticks in (0, 1, 7, 8)] == [5, 3, 3, 0]
    ended = in_ticks(taken(5), 8)
    assert ended.renew(5, NOON) == NOON
    assert ended.used == 0
