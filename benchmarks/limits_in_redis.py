"""What a limit in Redis costs: one check at a time, and 64 in flight, each of four claims; with and without settling.

A whole request adds its first attempt's provider, with two claims, asked for in the same step and settled for itself.

    python -m benchmarks.limits_in_redis [ROUNDS]

A check is what a request asks before anything is sent: all of its levels at once. Starts a redis-server of its own.
Absolute figures depend on the machine, and on who else uses it: so the best round is shown beside the middle one, and
redis-py's bare pings beside both.
"""

import sys
import time
from collections.abc import Awaitable, Callable, Sequence
from functools import partial

import redis
import trio
from attrs import frozen

from clawgw.limits.bucket import Bucket, Claims, Granted, Wanted
from clawgw.limits.memory import MemoryStore
from clawgw.limits.redis.store import RedisStore
from tests.limits.redis.server import RedisServer, find_redis_server

IN_FLIGHT = 64
ALONE = 500
TOGETHER = 5_000
TENANTS = 100
TEAMS = [Bucket("label", f"team:{number}", "requests", 10**9) for number in range(10)]
ROUTE = Bucket("route", "fast", "usd", 10**15, "month")
PROVIDER = Claims(
    (Bucket("provider", "p", "requests", 10**9), Bucket("provider", "p", "tokens", 10**10)),
    (1, 1_000),
)
USED = (1, 500, 1, 500)
PATIENCE_S = 5.0
"""Nothing may be answered elsewhere while this measures."""


def claims_of(tenant: int) -> Claims:
    """Its requests and tokens, its label's requests, and the route's budget, which all share."""
    key = f"k{tenant}"
    of_key = Bucket("key", key, "requests", 10**9), Bucket("key", key, "tokens", 10**10)
    return Claims((*of_key, TEAMS[tenant % len(TEAMS)], ROUTE), (1, 1_000, 1, 1_000))


@frozen
class Round:
    """How long one took alone, and how many there were a second together, and CPU time of this process for each."""

    alone_ms: float
    rate: float
    cpu_us: float


class Checks:
    """Reservations, each under a new id."""

    def __init__(self, store: RedisStore) -> None:
        self._store = store
        self._claims = [claims_of(tenant) for tenant in range(TENANTS)]
        self._made = 0

    async def check(self, *, settled: bool = False) -> None:
        """It must be granted, by Redis."""
        name = self._name()
        await self._reserve(Wanted(name, self._claims[self._made % TENANTS]))
        if settled:
            self._store.settle(name, USED)
            self._store.flush()

    async def request(self) -> None:
        """The same, with what its attempt takes."""
        name = self._name()
        attempt = f"{name}/1"
        await self._reserve(Wanted(name, self._claims[self._made % TENANTS]), Wanted(attempt, PROVIDER))
        self._store.settle(attempt, USED[:2])
        self._store.settle(name, USED)
        self._store.flush()

    async def round(self, one: Callable[[], Awaitable[None]]) -> Round:
        """Some alone, and some `IN_FLIGHT` at a time."""
        taken = []
        for _ in range(ALONE):
            started = time.perf_counter()
            await one()
            taken.append(time.perf_counter() - started)
        last = self._made + TOGETHER

        async def work() -> None:
            while self._made < last:
                await one()

        started, worked = time.perf_counter(), time.process_time()
        async with trio.open_nursery() as nursery:
            for _ in range(IN_FLIGHT):
                nursery.start_soon(work)
        return _round(taken, time.perf_counter() - started, time.process_time() - worked)

    def _name(self) -> str:
        self._made += 1
        return f"r{self._made}"

    async def _reserve(self, *wanted: Wanted) -> None:
        verdicts = await self._store.reserve(wanted, 60_000)
        if not isinstance(verdicts[-1], Granted):
            raise TypeError(f"refused: {self._store.degraded}")


def pings(client: redis.Redis) -> Round:
    """The same of pings in pipelines, without Trio."""
    taken = []
    for _ in range(ALONE):
        started = time.perf_counter()
        client.ping()
        taken.append(time.perf_counter() - started)
    started, worked = time.perf_counter(), time.process_time()
    for _ in range(TOGETHER // IN_FLIGHT):
        with client.pipeline(transaction=False) as pipeline:
            for _ in range(IN_FLIGHT):
                pipeline.ping()
            pipeline.execute()
    return _round(taken, time.perf_counter() - started, time.process_time() - worked)


async def checks(server: RedisServer, rounds: int) -> dict[str, list[Round]]:
    """Rounds of everything, by turns."""
    store = RedisStore(server.url, "closed", MemoryStore(lambda: 0), "benchmark", patience_s=PATIENCE_S)
    found: dict[str, list[Round]] = {"redis-py's ping": [], "check": [], "check, settled": [], "request": []}
    async with trio.open_nursery() as nursery:
        await nursery.start(store.run)
        measured = Checks(store)
        for _ in range(rounds):
            found["redis-py's ping"].append(pings(server.client))
            found["check"].append(await measured.round(measured.check))
            found["check, settled"].append(await measured.round(partial(measured.check, settled=True)))
            found["request"].append(await measured.round(measured.request))
        nursery.cancel_scope.cancel()
    return found


def main() -> None:
    """Print the best of each figure, and the middle one."""
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 20
    server = RedisServer(find_redis_server())
    try:
        for name, found in trio.run(checks, server, rounds).items():
            for which, at in (("at best", 0), ("in the middle", rounds // 2)):
                alone_ms = sorted(each.alone_ms for each in found)[at]
                cpu_us = sorted(each.cpu_us for each in found)[at]
                rate = sorted((each.rate for each in found), reverse=True)[at]
                print(
                    f"{name:16} {which:14} {alone_ms:6.3f} ms alone {rate:8.0f}/s at {IN_FLIGHT} {cpu_us:6.1f} µs CPU"
                )
    finally:
        server.close()


def _round(alone_s: Sequence[float], together_s: float, worked_s: float) -> Round:
    alone_ms = sorted(alone_s)[len(alone_s) // 2] * 1000
    return Round(alone_ms, TOGETHER / together_s, worked_s / TOGETHER * 1e6)


if __name__ == "__main__":
    main()
