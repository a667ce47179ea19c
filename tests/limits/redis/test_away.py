from collections.abc import Iterator

import pytest

from clawgw.limits.bucket import Bucket, Granted, Refused, Spent, Standing, Wanted
from clawgw.limits.memory import MemoryStore
from clawgw.limits.redis.away import WhenDown, while_away
from tests.limits.claims import Claim, together
from tests.limits.redis.stores import passes, verdict_on

NOON = 1_709_208_000_000
MIDNIGHT = NOON - 43_200_000
TEN = Bucket("key", "k", "requests", 10)
DAY = Bucket("key", "k", "usd", 1_000, "day")
NOTHING = Bucket("label", "l", "usd", 0, "day")
GATEWAYS = 4


@pytest.fixture
def local() -> Iterator[MemoryStore]:
    store = MemoryStore(lambda: NOON)
    yield store
    store.close()


async def test_open_grants_everything_as_if_it_were_full_and_knows_nothing(local: MemoryStore) -> None:
    store = while_away("open", local, lambda: GATEWAYS)
    for name in ("a", "b"):
        assert await verdict_on(store, name, Claim(TEN, 10)) == Granted((Standing(TEN, 10, 0),))
    assert (store.peek(TEN), store.degraded) == (None, None)


async def test_closed_refuses_everything_for_a_second(local: MemoryStore) -> None:
    store = while_away("closed", local, lambda: GATEWAYS)
    wanted = [Wanted(name, together([Claim(TEN, 1)])) for name in ("a", "b")]
    assert await store.reserve(wanted, 1_000) == [Refused((Standing(TEN, 0, 1_000, 1_000),))]


async def test_local_grants_this_gateways_share_and_names_the_whole(local: MemoryStore) -> None:
    store = while_away("local", local, lambda: GATEWAYS)
    assert await verdict_on(store, "a", Claim(TEN, 10)) == Granted((Standing(TEN, 0, 60_000),))
    assert not await passes(store, "b", Claim(TEN, 1))
    store.settle("a", [1])
    assert store.peek(TEN) == Standing(TEN, 1, 30_000)
    store.seed(DAY, Spent(200, MIDNIGHT))
    assert store.peek(DAY) == Standing(DAY, 50, 43_200_000)


async def test_a_share_is_never_nothing_unless_the_limit_is(local: MemoryStore) -> None:
    store = while_away("local", local, lambda: 100)
    assert await passes(store, "a", Claim(TEN, 1))
    assert not await passes(store, "b", Claim(NOTHING, 1))


@pytest.mark.parametrize("when_down", ["local", "open", "closed"])
def test_it_is_what_it_should_be(local: MemoryStore, when_down: WhenDown) -> None:
    assert while_away(when_down, local, lambda: 1).degraded is None
