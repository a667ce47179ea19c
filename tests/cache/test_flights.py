"""In virtual time: who asks, who waits, and for how long."""

import pytest
import trio
from trio.testing import MockClock, wait_all_tasks_blocked

from clawgw.cache.entry import Entry
from clawgw.cache.flights import PATIENCE_S, Flight, Flights

ENTRY = Entry(b"{}", "p", "m", 0.0)


class Passengers:
    """Tasks that join; `got` is what each got, and when."""

    def __init__(self, flights: Flights, nursery: trio.Nursery) -> None:
        self.flights = flights
        self.nursery = nursery
        self.got: dict[str, tuple[float, Flight | Entry]] = {}

    async def come(self, *names: str) -> None:
        for name in names:
            self.nursery.start_soon(self._join, name)
        await wait_all_tasks_blocked()

    async def _join(self, name: str) -> None:
        joined = await self.flights.join(b"k")
        self.got[name] = trio.current_time(), joined

    def leaders(self) -> list[Flight]:
        return [joined for _, joined in self.got.values() if isinstance(joined, Flight)]


@pytest.fixture
def passengers(nursery: trio.Nursery) -> Passengers:
    return Passengers(Flights(), nursery)


async def begin(passengers: Passengers, *followers: str) -> Flight:
    flight = await passengers.flights.join(b"k")
    assert isinstance(flight, Flight)
    await passengers.come(*followers)
    assert passengers.got == {}
    return flight


async def test_all_who_wait_get_what_it_brings(passengers: Passengers, autojump_clock: MockClock) -> None:
    flight = await begin(passengers, "a", "b")
    await trio.sleep(3)
    flight.land(ENTRY)
    await wait_all_tasks_blocked()
    assert passengers.got == {"a": (3.0, ENTRY), "b": (3.0, ENTRY)}


async def test_other_questions_do_not_wait(passengers: Passengers, autojump_clock: MockClock) -> None:
    await begin(passengers)
    assert isinstance(await passengers.flights.join(b"other"), Flight)


async def test_after_it_has_ended_the_next_asks_again(passengers: Passengers, autojump_clock: MockClock) -> None:
    flight = await begin(passengers)
    flight.land(ENTRY)
    assert isinstance(await passengers.flights.join(b"k"), Flight)


async def test_if_it_brings_nothing_all_ask_for_themselves_at_once(
    passengers: Passengers, autojump_clock: MockClock
) -> None:
    flight = await begin(passengers, "a", "b", "c")
    flight.land(None)
    await wait_all_tasks_blocked()
    assert len(passengers.leaders()) == 3
    for alone in passengers.leaders():
        alone.land(ENTRY)


async def test_if_it_leaves_one_asks_and_the_others_go_on_waiting(
    passengers: Passengers, autojump_clock: MockClock
) -> None:
    flight = await begin(passengers, "a", "b", "c")
    flight.leave()
    await wait_all_tasks_blocked()
    [next_flight] = passengers.leaders()
    await passengers.come("d")
    assert len(passengers.got) == 1
    next_flight.land(ENTRY)
    await wait_all_tasks_blocked()
    assert [joined for _, joined in passengers.got.values()].count(ENTRY) == 3


async def test_whoever_is_cancelled_is_missed_by_nobody(passengers: Passengers, autojump_clock: MockClock) -> None:
    flight = await begin(passengers, "a")
    with trio.move_on_after(1) as scope:
        await passengers.flights.join(b"k")
    assert scope.cancelled_caught
    flight.leave()
    await wait_all_tasks_blocked()
    [next_flight] = passengers.leaders()
    next_flight.land(None)
    assert isinstance(await passengers.flights.join(b"k"), Flight)


async def test_nobody_waits_for_ever_not_even_for_one_leader_after_another(
    passengers: Passengers, autojump_clock: MockClock
) -> None:
    flight = await begin(passengers, "a", "b")
    await trio.sleep(40)
    flight.leave()
    await trio.sleep(PATIENCE_S)
    (early, _), (late, alone) = sorted(passengers.got.values(), key=lambda got: got[0])
    assert (early, late) == (40.0, PATIENCE_S)
    assert isinstance(alone, Flight)


async def test_waiting_may_be_bounded_further(passengers: Passengers, autojump_clock: MockClock) -> None:
    await begin(passengers)
    alone = await passengers.flights.join(b"k", 2.0)
    assert trio.current_time() == 2.0
    assert isinstance(alone, Flight)


async def test_only_the_first_end_counts(passengers: Passengers, autojump_clock: MockClock) -> None:
    flight = await begin(passengers, "a")
    flight.land(ENTRY)
    flight.leave()
    flight.land(None)
    await wait_all_tasks_blocked()
    assert passengers.got == {"a": (0.0, ENTRY)}
