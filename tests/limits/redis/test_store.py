import re

import trio
from attrs import evolve

from clawgw.limits.bucket import Bucket, Granted, Refused, Spent, Standing
from clawgw.limits.places import LEASE_MS
from clawgw.limits.redis.scripts import Scripts
from clawgw.limits.redis.store import RedisStore
from tests.limits.claims import Claim
from tests.limits.redis.server import RedisServer
from tests.limits.redis.stores import (
    CLOCK,
    NOW,
    now_ms,
    passes,
    passes_at_last,
    patient,
    running,
    verdict_on,
)
from tests.waiting import until

NOON = 1_709_208_000_000
SLOW = Bucket("key", "alice", "requests", 10)
"""One in six seconds: none comes back while a test runs."""
PLACES = Bucket("key", "alice", "concurrent", 2)
DAY = Bucket("key", "alice", "usd", 1_000, "day")


def today_ms() -> int:
    return now_ms() // 86_400_000 * 86_400_000


def found(server: RedisServer) -> list[str]:
    return [str(key, "ascii") for key in server.client.scan_iter()]


async def test_every_level_is_checked_before_any_is_written(server: RedisServer) -> None:
    async with running(patient(server.url)) as store:
        assert await passes(store, "a", Claim(SLOW, 10))
        other = Bucket("label", "team:x", "tokens", 1_000)
        verdict = await verdict_on(store, "b", Claim(other, 1_000), Claim(SLOW, 1), Claim(PLACES, 1))
        assert isinstance(verdict, Refused)
        assert [standing.bucket for standing in verdict.refusing] == [SLOW]
        assert 0 < verdict.refusing[0].wait_ms <= 6_000
        assert await passes(store, "c", Claim(other, 1_000), Claim(PLACES, 2))
        assert len(server.client.keys("{clawgw}:reservation:*")) == 2


async def test_fifty_at_once_on_a_burst_of_ten(server: RedisServer) -> None:
    passed: list[bool] = []
    async with running(patient(server.url)) as store, trio.open_nursery() as nursery:

        async def ask(number: int) -> None:
            passed.append(await passes(store, str(number), Claim(SLOW, 1)))

        for number in range(50):
            nursery.start_soon(ask, number)
    assert (len(passed), sum(passed)) == (50, 10)


async def test_any_gateway_settles_and_only_once(server: RedisServer) -> None:
    async with running(patient(server.url)) as one, running(patient(server.url)) as other:
        assert await passes(one, "a", Claim(SLOW, 5), Claim(PLACES, 2))
        assert await passes(one, "b", Claim(SLOW, 5))
        for store in (one, other, one):
            store.settle("a", [2, 0])
            await store.beat()
        verdict = await verdict_on(other, "c", Claim(SLOW, 4), Claim(PLACES, 2))
        assert isinstance(verdict, Refused)
        assert [standing.remaining for standing in verdict.standings] == [3, 2]
        assert await passes(other, "d", Claim(SLOW, 3))


async def test_nothing_that_a_client_made_is_a_key(server: RedisServer) -> None:
    async with running(patient(server.url)) as store:
        evil = Bucket("quota", "user\r\nDEL *\0{x}\udc80", "requests", 10)
        assert await passes(store, "id\r\n\udc80", Claim(evil, 1))
    hashed = re.compile(r"\{clawgw\}:(gateways|(bucket|reservation):[0-9a-f]{32})")
    keys = found(server)
    assert len(keys) == 3
    assert all(hashed.fullmatch(key) for key in keys)


async def test_everything_in_redis_is_forgotten_some_day(server: RedisServer) -> None:
    month = Bucket("key", "alice", "usd", 1_000, "month")
    async with running(patient(server.url)) as store:
        assert await passes(store, "a", Claim(SLOW, 1), Claim(PLACES, 1), Claim(DAY, 1), Claim(month, 1))
    keys = found(server)
    lives = sorted(int(str(server.client.pttl(key))) for key in keys)
    gateways, places, drained, record, day, long = lives
    assert 0 < gateways <= 10_000 < places <= 30_000 < drained <= 120_000 < record <= 600_000
    assert 86_400_000 < day <= 2 * 86_400_000 < 61 * 86_400_000 < long <= 62 * 86_400_000


async def test_places_are_kept_by_renewing_and_freed_by_death(server: RedisServer) -> None:
    assert Scripts.read().lease_ms == LEASE_MS == 30_000
    scripts = Scripts.read(clock=CLOCK)
    server.client.set(NOW, NOON)
    async with running(patient(server.url, scripts=scripts)) as survivor:
        async with running(patient(server.url, scripts=scripts)) as dying:
            assert await passes(dying, "a", Claim(PLACES, 2))
            for seconds in (20, 40, 60):
                server.client.set(NOW, NOON + seconds * 1_000)
                dying.renew()
                await dying.beat()
                await survivor.beat()
                assert not await passes(survivor, "b", Claim(PLACES, 1))
        server.client.set(NOW, NOON + 60_000 + LEASE_MS)
        await survivor.beat()
        assert await passes(survivor, "c", Claim(PLACES, 2))


async def test_a_place_that_was_lost_is_not_taken_back(server: RedisServer) -> None:
    short = Scripts.read(lease_ms=80)
    async with running(patient(server.url)) as heir, running(patient(server.url, scripts=short)) as store:
        assert await passes(heir, "first", Claim(Bucket("key", "x", "concurrent", 1), 1))
        assert await passes(store, "a", Claim(PLACES, 2))
        server.client.delete(*server.client.keys("{clawgw}:bucket:*"))
        assert await passes(heir, "b", Claim(PLACES, 2))
        store.renew()
        await store.beat()
        heir.settle("b", [0])
        assert await passes(heir, "c", Claim(PLACES, 2))


async def test_a_place_whose_lease_has_ended_is_not_renewed(server: RedisServer) -> None:
    never_renewed = evolve(Scripts.read(lease_ms=80), lease_ms=LEASE_MS)
    async with running(patient(server.url)) as other, running(patient(server.url, scripts=never_renewed)) as store:
        assert await passes(other, "a", Claim(PLACES, 1))
        assert await passes(store, "b", Claim(PLACES, 1))
        await trio.sleep(0.1)
        store.renew()
        await store.beat()
        assert await passes(other, "c", Claim(PLACES, 1))


async def test_what_is_settled_is_renewed_no_more(server: RedisServer) -> None:
    async with running(patient(server.url)) as store:
        assert await passes(store, "a", Claim(PLACES, 2))
        assert [len(places) for places in store._leases.renewals(0)] == [2]
        store.settle("a", [0])
        assert not list(store._leases.renewals(0))


async def test_a_budget_is_seeded_with_what_the_ledger_says_unless_more_is_known(server: RedisServer) -> None:
    async with running(patient(server.url)) as store:
        assert await passes(store, "a", Claim(SLOW, 1), Claim(DAY, 200))
        for spent in (Spent(150, today_ms()), Spent(900, today_ms()), Spent(1_000, today_ms() - 86_400_000)):
            store.seed(DAY, spent)
        await store.beat()
        assert not await passes(store, "b", Claim(DAY, 101))
        assert await passes(store, "c", Claim(DAY, 100))


async def test_what_several_ledgers_say_is_added_up_however_often_they_say_it(server: RedisServer) -> None:
    async with running(patient(server.url)) as one, running(patient(server.url)) as other:
        for amount in (100, 300):
            for _ in range(2):
                one.seed(DAY, Spent(amount, today_ms(), "one"))
                other.seed(DAY, Spent(400, today_ms(), "other"))
        await one.beat()
        await other.beat()
        assert not await passes(one, "a", Claim(DAY, 301))
        assert await passes(one, "b", Claim(DAY, 300))
        assert all(0 < server.client.pttl(key) <= 2 * 86_400_000 for key in server.client.keys("{clawgw}:spent:*"))


async def test_a_redis_that_may_have_forgotten_something_is_noticed(server: RedisServer) -> None:
    noticed: list[str] = []
    async with running(patient(server.url, forgotten=lambda: noticed.append("forgotten"))) as store:
        assert len(noticed) == 1  # it has never heard of this gateway
        assert await passes(store, "a", Claim(DAY, 100))
        assert len(noticed) == 2  # nor of this budget
        assert await passes(store, "b", Claim(DAY, 100), Claim(Bucket("quota", "q", "usd", 1_000, "day"), 100))
        await store.beat()
        assert len(noticed) == 2
        server.client.flushall()
        await store.beat()
        assert len(noticed) == 3


async def test_what_was_seen_of_a_bucket_drains_while_nobody_asks(server: RedisServer) -> None:
    fast = Bucket("key", "alice", "tokens", 6_000_000)
    async with running(patient(server.url)) as store:
        assert store.peek(fast) is None
        verdict = await verdict_on(store, "a", Claim(fast, 6_000_000), Claim(SLOW, 4))
        assert isinstance(verdict, Granted)
        assert verdict.standings[0] == Standing(fast, 0, 60_000)
        await until(lambda: (seen := store.peek(fast)) is not None and 1_000 <= seen.remaining < 3_000_000)
        seen = store.peek(SLOW)
        assert seen is not None
        assert seen.remaining == 6


async def test_gateways_count_each_other(server: RedisServer) -> None:
    async with running(patient(server.url)) as store:
        assert store.gateways == 1
        other = RedisStore(server.url, "closed", store, "other", patience_s=10)
        async with running(other):
            await store.beat()
            assert (store.gateways, other.gateways) == (2, 2)


async def test_not_running_it_is_degraded_and_answers_as_if_redis_were_away(server: RedisServer) -> None:
    store = patient(server.url)
    assert store.degraded == "NotConnected"
    assert not await passes(store, "a", Claim(SLOW, 1))
    async with running(store):
        assert store.degraded is None
        assert await passes(store, "b", Claim(SLOW, 1))
    assert store.degraded == "Stopped"
    assert not await passes(store, "c", Claim(SLOW, 1))
    async with running(store):
        assert await passes(store, "d", Claim(SLOW, 9))


async def test_the_last_settlements_are_told_before_it_ends(server: RedisServer) -> None:
    async with running(patient(server.url)) as store:
        for number in range(10):
            assert await passes(store, str(number), Claim(SLOW, 1))
        for number in range(10):
            store.settle(str(number), [0])
    assert not server.client.keys("{clawgw}:reservation:*")
    async with running(patient(server.url)) as store:
        assert await passes(store, "again", Claim(SLOW, 10))


async def test_who_is_cancelled_while_waiting_has_taken_nothing(doomed: RedisServer) -> None:
    async with running(patient(doomed.url)) as store:
        doomed.freeze()
        async with trio.open_nursery() as nursery:
            nursery.start_soon(passes, store, "a", Claim(SLOW, 10))
            await trio.testing.wait_all_tasks_blocked()
            nursery.cancel_scope.cancel()
        doomed.thaw()
        await passes_at_last(store, "b", Claim(SLOW, 10))


async def test_numbers_beyond_belief_do_no_harm(server: RedisServer) -> None:
    endless = Bucket("quota", "q", "tokens", 10**30)
    async with running(patient(server.url)) as store:
        assert await passes(store, "a", Claim(endless, 5), Claim(SLOW, 10))
        assert not await passes(store, "b", Claim(SLOW, 10**30))
        store.seed(DAY, Spent(10**30, today_ms()))
        store.settle("a", [10**30, 10**30])
        await store.beat()
        assert not await passes(store, "c", Claim(DAY, 1))
        assert not await passes(store, "d", Claim(SLOW, 1))
        assert store.degraded is None
