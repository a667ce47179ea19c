"""What a limit in Redis costs: one check at a time and 64 in flight, each of four claims; and bare pings beside it.

    python -m benchmarks.limits_in_redis [CHECKS]

Starts a redis-server of its own. Absolute figures depend on the machine, and on who else uses it: the pings say how
much, and CPU time is what a check costs this process, whoever else runs.
"""

import sys
import time
from collections.abc import Callable, Sequence

import redis
import trio

from clawgw.limits.bucket import Bucket, Claim, Granted
from clawgw.limits.memory import MemoryStore
from clawgw.limits.redis.store import RedisStore
from tests.limits.redis.server import RedisServer, find_redis_server

IN_FLIGHT = 64
ALONE = 2_000
TENANTS = 100
TEAMS = [Bucket("label", f"team:{number}", "requests", 10**9) for number in range(10)]
ROUTE = Bucket("route", "fast", "usd", 10**15, "month")
PATIENCE_S = 5.0
"""Nothing may be answered elsewhere while this measures."""


def claims_of(tenant: int) -> Sequence[Claim]:
    """Its requests and tokens, its label's requests, and the route's budget, which all share."""
    return (
        Claim(Bucket("key", f"k{tenant}", "requests", 10**9), 1),
        Claim(Bucket("key", f"k{tenant}", "tokens", 10**10), 1_000),
        Claim(TEAMS[tenant % len(TEAMS)], 1),
        Claim(ROUTE, 1_000),
    )


class Checks:
    """Reservations, each under a new id."""

    def __init__(self, store: RedisStore) -> None:
        self._store = store
        self._claims = [claims_of(tenant) for tenant in range(TENANTS)]
        self._made = 0

    async def one(self) -> None:
        """It must be granted, by Redis."""
        self._made += 1
        verdict = await self._store.reserve(f"r{self._made}", self._claims[self._made % TENANTS], 60_000)
        if not isinstance(verdict, Granted):
            raise TypeError(f"refused: {self._store.degraded}")

    async def alone_ms(self) -> float:
        """The median of one after another."""
        taken = []
        for _ in range(ALONE):
            started = time.perf_counter()
            await self.one()
            taken.append(time.perf_counter() - started)
        return median_ms(taken)

    async def rate(self, count: int) -> tuple[float, float]:
        """So many a second, `IN_FLIGHT` at a time, and µs of CPU time for each."""
        last = self._made + count

        async def work() -> None:
            while self._made < last:
                await self.one()

        started, worked = time.perf_counter(), time.process_time()
        async with trio.open_nursery() as nursery:
            for _ in range(IN_FLIGHT):
                nursery.start_soon(work)
        return count / (time.perf_counter() - started), (time.process_time() - worked) / count * 1e6


def median_ms(taken: Sequence[float]) -> float:
    """The middle one, in ms."""
    return sorted(taken)[len(taken) // 2] * 1000


def timed(call: Callable[[], object]) -> float:
    """Seconds."""
    started = time.perf_counter()
    call()
    return time.perf_counter() - started


def pings(client: redis.Redis, count: int) -> tuple[float, float, float]:
    """The median of one alone in ms, and as `Checks.rate` in pipelines, without Trio or threads."""
    alone = median_ms([timed(client.ping) for _ in range(ALONE)])

    def pipelined() -> None:
        for _ in range(count // IN_FLIGHT):
            with client.pipeline(transaction=False) as pipeline:
                for _ in range(IN_FLIGHT):
                    pipeline.ping()
                pipeline.execute()

    worked = time.process_time()
    taken = timed(pipelined)
    return alone, count / taken, (time.process_time() - worked) / count * 1e6


async def checks(url: str, count: int) -> tuple[float, float, float]:
    """The same of checks."""
    store = RedisStore(url, "closed", MemoryStore(lambda: 0), "benchmark", patience_s=PATIENCE_S)
    async with trio.open_nursery() as nursery:
        await nursery.start(store.run)
        measured = Checks(store)
        found = await measured.alone_ms(), *await measured.rate(count)
        nursery.cancel_scope.cancel()
    return found


def main() -> None:
    """Print both."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 30_000
    server = RedisServer(find_redis_server())
    try:
        for name, (alone_ms, rate, cpu_us) in (
            ("redis-py's ping", pings(server.client, count)),
            ("check of 4 claims", trio.run(checks, server.url, count)),
        ):
            print(f"{name:20} {alone_ms:6.3f} ms alone {rate:9.0f}/s at {IN_FLIGHT} {cpu_us:6.1f} µs CPU")
    finally:
        server.close()


if __name__ == "__main__":
    main()
