"""Redis frozen, killed, restarted, emptied: nobody waits for long, nothing fails, and it is as it was afterwards."""

import logging
import threading
from collections.abc import Callable

import pytest
import trio

from clawgw.limits.bucket import Bucket, Granted, Refused, Spent, Standing
from clawgw.limits.redis.asking import BUSY_S
from clawgw.limits.redis.away import WhenDown
from clawgw.limits.redis.breaker import FAILURES
from clawgw.limits.redis.keys import rule
from clawgw.limits.redis.store import PATIENCE_S, STOP_S, RedisStore
from clawgw.limits.windows import window
from tests.given_time import Stopwatch, within
from tests.limits.claims import Claim
from tests.limits.redis.server import RedisServer
from tests.limits.redis.stores import as_used, now_ms, passes, passes_at_last, patient, running, verdict_on
from tests.waiting import until

TEN = Bucket("key", "alice", "requests", 10)
PLACES = Bucket("key", "alice", "concurrent", 3)
SLACK_S = 0.5
"""What a slow machine may add."""


class Traffic:
    """Requests one after another, each settled; none may take long."""

    def __init__(self, store: RedisStore) -> None:
        self._store = store
        self._bucket = Bucket("key", "busy", "requests", 1_000_000)
        self.longest_s = 0.0
        self.granted = 0
        self.count = 0

    async def run(self) -> None:
        while True:
            self.count += 1
            name, started = f"t{id(self)}-{self.count}", trio.current_time()
            verdict = await verdict_on(self._store, name, Claim(self._bucket, 1))
            self.longest_s = max(self.longest_s, trio.current_time() - started)
            self.granted += isinstance(verdict, Granted)
            self._store.settle(name, [1])
            await trio.sleep(0.001)


@pytest.mark.parametrize(
    ("break_it", "mend_it"),
    [
        (RedisServer.freeze, RedisServer.thaw),
        (RedisServer.kill, RedisServer.start),
        (lambda server: server.client.flushall(), lambda _: None),
        (lambda server: server.client.script_flush(), lambda _: None),
    ],
    ids=["frozen", "killed", "emptied", "scripts emptied"],
)
async def test_traffic_goes_on(
    doomed: RedisServer, break_it: Callable[[RedisServer], None], mend_it: Callable[[RedisServer], None]
) -> None:
    async with running(as_used(doomed.url)) as store, trio.open_nursery() as nursery:
        traffic = [Traffic(store) for _ in range(4)]
        for each in traffic:
            nursery.start_soon(each.run)
        await until(lambda: all(each.count > 20 for each in traffic))
        break_it(doomed)
        await trio.sleep(0.5)
        mend_it(doomed)
        await until(lambda: store.degraded is None)
        counts = [each.count for each in traffic]
        await until(lambda: all(each.count > count + 20 for each, count in zip(traffic, counts, strict=True)))
        assert max(each.longest_s for each in traffic) < PATIENCE_S + SLACK_S
        assert all(each.granted >= each.count - 1 for each in traffic)
        nursery.cancel_scope.cancel()


async def test_frozen_costs_a_few_waits_and_then_nothing(doomed: RedisServer, caplog: pytest.LogCaptureFixture) -> None:
    async with running(as_used(doomed.url)) as store:
        await until(lambda: store.degraded is None)
        caplog.clear()
        doomed.freeze()
        with within(FAILURES * PATIENCE_S + SLACK_S):
            for number in range(FAILURES):
                assert await passes(store, f"a{number}", Claim(TEN, 1))
        assert store.degraded == "TimeoutError"
        with within(SLACK_S):
            for number in range(100):
                assert await passes(store, f"b{number}", Claim(TEN, 1))
        doomed.thaw()
        await until(lambda: store.degraded is None)
    said = [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING]
    assert said == [
        "limits: Redis is away (TimeoutError); until it answers, [limits] when_down applies",
        "limits: Redis answers again",
    ]


async def test_what_ran_too_late_has_taken_nothing(doomed: RedisServer) -> None:
    """What was sent before the freeze was noticed runs when Redis goes on, and refuses itself."""
    async with running(as_used(doomed.url)) as store:
        await until(lambda: store.degraded is None)
        doomed.freeze()
        async with trio.open_nursery() as nursery:
            for number in range(FAILURES):
                nursery.start_soon(passes, store, f"a{number}", Claim(TEN, 2))
        await trio.sleep(PATIENCE_S + BUSY_S)
        doomed.thaw()
        await until(lambda: store.degraded is None)
        assert not doomed.client.keys("{clawgw}:bucket:*")


async def test_a_clock_that_jumped_costs_one_answer(server: RedisServer) -> None:
    async with running(patient(server.url)) as store:
        store._clock._ahead_ms -= 3_600_000
        assert not await passes(store, "a", Claim(TEN, 10))
        assert await passes(store, "b", Claim(TEN, 10))


async def test_what_ran_in_time_and_was_not_heard_of_is_given_back(doomed: RedisServer) -> None:
    """The one who waits gives up long before it would be too late for Redis."""
    store = patient(doomed.url)
    store._desk._patience_s = PATIENCE_S
    async with running(store):
        await until(lambda: store.degraded is None)
        doomed.freeze()
        for number in range(FAILURES):
            assert not await passes(store, f"a{number}", Claim(TEN, 2))
        doomed.thaw()
        await until(lambda: store.degraded is None)
        await passes_at_last(store, "b", Claim(TEN, 10))


async def test_settled_while_away_is_settled_when_redis_is_back(doomed: RedisServer) -> None:
    async with running(patient(doomed.url)) as store:
        assert await passes(store, "a", Claim(TEN, 10), Claim(PLACES, 3))
        doomed.freeze()
        store._breaker.degraded = "Away"
        store.settle("a", [4, 0])
        doomed.thaw()
        await until(lambda: store.degraded is None)
        await passes_at_last(store, "b", Claim(TEN, 6), Claim(PLACES, 3))
        assert not await passes(store, "c", Claim(TEN, 1))


async def test_settled_while_away_is_settled_before_it_ends(server: RedisServer) -> None:
    async with running(patient(server.url)) as store:
        assert await passes(store, "a", Claim(TEN, 10))
        store._breaker.degraded = "Away"
        store.settle("a", [4])
    async with running(patient(server.url)) as store:
        assert await passes(store, "b", Claim(TEN, 6))


async def test_emptied_it_neither_refuses_for_ever_nor_gives_credit(server: RedisServer) -> None:
    async with running(patient(server.url)) as store:
        assert await passes(store, "a", Claim(TEN, 10), Claim(PLACES, 3))
        server.client.flushall()
        store.settle("a", [0, 0])
        await store.beat()
        verdict = await verdict_on(store, "b", Claim(TEN, 1), Claim(PLACES, 3))
        assert isinstance(verdict, Granted)
        assert [standing.remaining for standing in verdict.standings] == [9, 0]


async def test_a_bucket_that_was_evicted_gives_no_credit(server: RedisServer) -> None:
    day = Bucket("key", "alice", "usd", 1_000, "day")
    async with running(patient(server.url)) as store:
        assert await passes(store, "a", Claim(TEN, 10), Claim(day, 400))
        for bucket in (TEN, day):
            server.client.delete(rule(bucket).key)
        assert await passes(store, "b", Claim(TEN, 1), Claim(day, 100))
        store.settle("a", [0, 0])
        await store.beat()
        assert await passes(store, "c", Claim(TEN, 10), Claim(day, 1_000))
        assert not await passes(store, "d", Claim(TEN, 1))
        assert not await passes(store, "e", Claim(day, 1))


async def test_local_divides_by_the_gateways_that_were_there(doomed: RedisServer) -> None:
    async with running(as_used(doomed.url, "local", patience_s=10)) as store:
        async with running(as_used(doomed.url, gateway="other", patience_s=10)):
            await store.beat()
        store._breaker.degraded = "Away"
        verdict = await verdict_on(store, "a", Claim(TEN, 8), Claim(PLACES, 1))
        assert verdict == Granted((Standing(TEN, 0, 60_000), Standing(PLACES, 0, 0)))
        assert not await passes(store, "b", Claim(PLACES, 1))
        store.settle("a", [2, 0])
        assert await passes(store, "c", Claim(TEN, 3), Claim(PLACES, 1))
        peeked = store.peek(PLACES)
        assert peeked == Standing(PLACES, 0, 0)


async def test_local_knows_what_this_gateway_has_spent_of_its_share(doomed: RedisServer) -> None:
    month = Bucket("key", "alice", "usd", 1_000, "month")
    began_ms = window("month", now_ms())[0]
    async with running(as_used(doomed.url, "local", patience_s=10)) as store:
        async with running(as_used(doomed.url, gateway="other", patience_s=10)):
            await store.beat()
        store.seed(month, Spent(300, began_ms, "one"))
        store._breaker.degraded = "Away"
        store.seed(month, Spent(400, began_ms, "one"))
        assert not await passes(store, "a", Claim(month, 101))
        assert await passes(store, "b", Claim(month, 100))


@pytest.mark.parametrize(("when_down", "verdict"), [("open", Granted), ("closed", Refused)])
async def test_started_without_redis(tmp_path: object, when_down: WhenDown, verdict: type) -> None:
    store = as_used(f"unix://{tmp_path}/none", when_down)
    async with running(store):
        assert store.degraded == "FileNotFoundError"
        answer = await verdict_on(store, "a", Claim(TEN, 10))
        assert isinstance(answer, verdict)
        assert [one.wait_ms for one in answer.standings] == [0 if verdict is Granted else 1_000]
        store.settle("a", [1])
        store.seed(Bucket("key", "alice", "usd", 5, "day"), Spent(1, 0))
        assert store.peek(TEN) is None
        store.renew()


async def test_a_wrong_password_is_said_once_and_never_shown(
    doomed: RedisServer, caplog: pytest.LogCaptureFixture
) -> None:
    doomed.client.config_set("requirepass", "right")
    store = as_used(doomed.url.replace("unix://", "unix://:hunter2@"), patience_s=10)
    async with running(store):
        assert store.degraded == "AuthenticationError"
        await store.beat()
    assert len(caplog.records) == 1
    assert "hunter2" not in caplog.text + repr(store)
    async with running(as_used(doomed.url.replace("unix://", "unix://:right@"), patience_s=10)) as store:
        assert store.degraded is None


async def test_the_end_does_not_wait_for_a_frozen_redis(doomed: RedisServer, caplog: pytest.LogCaptureFixture) -> None:
    async with running(as_used(doomed.url)) as store:
        await until(lambda: store.degraded is None)
        doomed.freeze()
        for number in range(5_000):
            store.settle(f"unknown {number}", [0])
        stopwatch = Stopwatch()
    assert stopwatch.given_s() < STOP_S + SLACK_S
    assert "5000 reservations stay charged" in caplog.text
    await until(lambda: not [thread for thread in threading.enumerate() if "redis" in thread.name])


async def test_redis_that_forbids_scripts_is_away(doomed: RedisServer) -> None:
    doomed.permit("-eval", "-evalsha")
    async with running(as_used(doomed.url, patience_s=10)) as store:
        assert store.degraded == "NoPermissionError"
        doomed.permit("+@all")
        await until(lambda: store.degraded is None)


async def test_redis_that_answers_with_errors_is_away(doomed: RedisServer) -> None:
    async with running(as_used(doomed.url, patience_s=10)) as store:
        doomed.client.config_set("maxmemory", "1")
        for number in range(FAILURES):
            assert await passes(store, f"a{number}", Claim(TEN, 2))
        assert store.degraded == "OutOfMemoryError"
        doomed.client.config_set("maxmemory", "0")
        await until(lambda: store.degraded is None)
        await passes_at_last(store, "b", Claim(TEN, 10))
