"""Redis's clock goes back, as after a failover."""

from clawgw.limits.bucket import Bucket, Refused
from clawgw.limits.redis.scripts import Scripts
from tests.limits.claims import Claim
from tests.limits.redis.server import RedisServer
from tests.limits.redis.stores import CLOCK, NOW, passes, patient, running, verdict_on

NOON = 1_709_208_000_000
TEN = Bucket("key", "alice", "requests", 10)
PLACES = Bucket("key", "alice", "concurrent", 3)


async def test_a_little_is_as_if_no_time_had_passed(server: RedisServer) -> None:
    server.client.set(NOW, NOON)
    async with running(patient(server.url, scripts=Scripts.read(clock=CLOCK))) as store:
        assert await passes(store, "a", Claim(TEN, 10))
        server.client.set(NOW, NOON - 30_000)
        verdict = await verdict_on(store, "b", Claim(TEN, 1))
        assert isinstance(verdict, Refused)
        assert verdict.standings[0].wait_ms == 36_000
        server.client.set(NOW, NOON + 6_000)
        await store.beat()
        assert await passes(store, "c", Claim(TEN, 1))
        assert not await passes(store, "d", Claim(TEN, 1))


async def test_places_outlive_no_clock_that_was_set_back(server: RedisServer) -> None:
    server.client.set(NOW, NOON)
    async with running(patient(server.url, scripts=Scripts.read(clock=CLOCK))) as store:
        assert await passes(store, "a", Claim(PLACES, 3))
        server.client.set(NOW, NOON - 3_600_000)
        assert await passes(store, "b", Claim(PLACES, 3))
