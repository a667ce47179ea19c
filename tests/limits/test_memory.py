import logging
from collections.abc import Callable, Iterator

import pytest
import trio
from attrs import define
from hypothesis import settings
from trio.testing import MockClock

from clawgw.limits import table
from clawgw.limits.bucket import Bucket, Granted, Spent, Standing, Wanted
from clawgw.limits.memory import MemoryStore
from tests.limits.claims import Claim, together
from tests.limits.direct import Directly
from tests.limits.machine import Driven, LimitMachine

NOON = 1_709_208_000_000
MIDNIGHT = NOON - 43_200_000
TEN = Bucket("key", "k", "requests", 10)
PLACES = Bucket("key", "k", "concurrent", 3)
DAY = Bucket("key", "k", "usd", 1_000, "day")


class Alone(LimitMachine):
    def open(self, now_ms: Callable[[], int]) -> Driven:
        return Directly(MemoryStore(now_ms))


Alone.TestCase.settings = settings(max_examples=250, stateful_step_count=60, deadline=None)
TestAlone = Alone.TestCase


@define
class Time:
    now_ms: int = NOON

    def __call__(self) -> int:
        return self.now_ms


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
def store(time: Time) -> Iterator[Directly]:
    store = Directly(MemoryStore(time))
    yield store
    store.close()


def test_a_refusal_takes_nothing_and_says_who_refuses(store: Directly) -> None:
    small = Bucket("label", "l", "tokens", 60)
    verdict = store.reserve("a", [Claim(TEN, 1), Claim(small, 61), Claim(PLACES, 1)])
    standings = (Standing(TEN, 10, 0), Standing(small, 60, 0, 1_000), Standing(PLACES, 3, 0))
    assert (type(verdict).__name__, verdict.standings) == ("Refused", standings)
    assert store.peek(TEN) == Standing(TEN, 10, 0)


async def test_fifty_at_once_on_a_burst_of_ten(store: Directly) -> None:
    passed = []

    async def ask(number: int) -> None:
        await trio.lowlevel.checkpoint()
        passed.append(
            isinstance((await store.store.reserve([Wanted(str(number), together([Claim(TEN, 1)]))], 1))[0], Granted)
        )

    async with trio.open_nursery() as nursery:
        for number in range(50):
            nursery.start_soon(ask, number)
    assert sum(passed) == 10


def test_a_reservation_is_settled_once(store: Directly) -> None:
    store.reserve("a", [Claim(TEN, 5)])
    store.reserve("b", [Claim(TEN, 5)])
    for _ in range(2):
        store.settle("a", [2])
    assert store.peek(TEN) == Standing(TEN, 3, 42_000)


def test_an_expired_reservation_stays_charged(store: Directly, time: Time) -> None:
    store.reserve("a", [Claim(DAY, 700)], expires_ms=1_000)
    time.now_ms += 1_000
    store.settle("a", [0])
    assert store.peek(DAY) == Standing(DAY, 300, 43_199_000)


def test_places_last_while_they_are_renewed_and_free_themselves_within_thirty_seconds(
    store: Directly, time: Time
) -> None:
    store.reserve("a", [Claim(PLACES, 3)])
    for _ in range(9):
        time.now_ms += 10_000
        store.renew()
    assert not store.passes("b", Claim(PLACES, 1))
    time.now_ms += 30_000
    assert store.passes("c", Claim(PLACES, 3))
    store.renew()
    store.settle("a", [0])
    assert not store.passes("d", Claim(PLACES, 1))


def test_an_expired_reservation_is_not_renewed(store: Directly, time: Time) -> None:
    store.reserve("a", [Claim(PLACES, 3)], expires_ms=10_000)
    time.now_ms += 10_000
    store.renew()
    time.now_ms += 20_000
    assert store.passes("b", Claim(PLACES, 3))


def test_places_outlive_no_clock_that_was_set_back(store: Directly, time: Time) -> None:
    store.reserve("a", [Claim(PLACES, 3)])
    time.now_ms -= 3_600_000
    assert store.passes("b", Claim(PLACES, 3))


def test_a_seed_counts_as_spent(store: Directly) -> None:
    for spent in (Spent(900, MIDNIGHT), Spent(800, MIDNIGHT), Spent(1_000, MIDNIGHT - 86_400_000)):
        store.seed(DAY, spent)
    assert store.peek(DAY) == Standing(DAY, 100, 43_200_000)
    assert not store.passes("a", Claim(DAY, 101))
    assert store.passes("b", Claim(DAY, 100))


async def test_run_renews_every_ten_seconds(autojump_clock: MockClock) -> None:
    store = Directly(MemoryStore(lambda: NOON + round(trio.current_time() * 1000)))
    store.reserve("a", [Claim(PLACES, 3)])
    with trio.move_on_after(65):
        await store.store.run()
    assert not store.passes("b", Claim(PLACES, 1))
    await trio.sleep(30)
    assert store.passes("c", Claim(PLACES, 3))
    store.close()


def test_any_number_of_users_fills_nothing_when_they_come_one_after_another(
    store: Directly, time: Time, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(table, "SLOTS", 1)
    for user in range(1_000):
        assert store.passes(str(user), Claim(Bucket("quota", str(user), "tokens", 60), 1), Claim(DAY, 1))
        time.now_ms += 1_000
    assert store.store.evicted == 0
    assert store.peek(DAY) == Standing(DAY, 0, 42_200_000)


def test_a_full_table_forgets_who_is_full_again_soonest_and_says_so_once(
    store: Directly, time: Time, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(table, "SLOTS", 1)
    users = [Bucket("quota", str(user), "requests", 60) for user in range(table.WINDOW + 1)]
    for number, user in enumerate(users):
        assert store.passes(user.name, Claim(user, 33 - number), Claim(DAY, 1))
    forgotten = [user.name for user in users if store.peek(user) == Standing(user, 60, 0)]
    assert forgotten == ["30", "31"]
    assert store.store.evicted == 2
    assert store.peek(DAY) == Standing(DAY, 1_000 - 33, 43_200_000)
    assert [record.levelno for record in caplog.records] == [logging.WARNING]
    for user in users:
        store.settle(user.name, [60, 1])
