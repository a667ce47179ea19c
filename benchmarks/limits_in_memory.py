"""What a limit in memory costs: µs for a check of three claims and for its settlement, and checks a second of workers.

    python -m benchmarks.limits_in_memory [CHECKS]

Alone, in a shared table, and in one that three processes use at once, as fast as each can. Absolute figures depend on
the machine, and on who else uses it: so the best round is shown beside the middle one.
"""

import multiprocessing
import os
import sys
import time
from multiprocessing.synchronize import Barrier

import trio

from clawgw.clock import now_ms
from clawgw.limits.bucket import Bucket, Claims, Granted, Wanted
from clawgw.limits.memory import MemoryStore
from clawgw.limits.shared import SharedStore
from clawgw.limits.table import create_shared

ROUNDS = 30
WORKERS = 3
PATIENCE_S = 5.0
"""Nothing may be answered elsewhere while this measures."""
CLAIMS = Claims(
    (
        Bucket("key", "k", "requests", 10**9),
        Bucket("key", "k", "tokens", 10**10),
        Bucket("key", "k", "concurrent", 10**6),
    ),
    (1, 1_000, 1),
)
"""Of a key with limits of all three kinds."""
USED = (1, 500, 1)


async def round_of(store: MemoryStore | SharedStore, count: int) -> tuple[float, float]:
    """µs for each reservation, and for each settlement."""
    started = time.perf_counter()
    for number in range(count):
        if not isinstance((await store.reserve([Wanted(str(number), CLAIMS)], 60_000))[0], Granted):
            raise TypeError("refused")
    between = time.perf_counter()
    for number in range(count):
        store.settle(str(number), USED)
    return (between - started) / count * 1e6, (time.perf_counter() - between) / count * 1e6


async def rounds(name: str, store: MemoryStore | SharedStore, count: int) -> None:
    """Print the best and the middle of them."""
    found = [await round_of(store, count // ROUNDS) for _ in range(ROUNDS)]
    for step, taken in zip(("reserve", "settle"), zip(*found, strict=True), strict=True):
        print(f"{name:24} {step:8} {min(taken):6.1f} µs at best {sorted(taken)[ROUNDS // 2]:6.1f} µs in the middle")


def work(fd: int, count: int, start: Barrier) -> None:
    """One of the workers."""
    store = SharedStore(fd, now_ms, PATIENCE_S)
    start.wait()
    trio.run(round_of, store, count)
    if store.unreached:
        raise RuntimeError("the lock could not be had")


def together(fd: int, count: int) -> float:
    """Checks a second, each reserved and settled, of all workers."""
    context = multiprocessing.get_context("fork")
    start = context.Barrier(WORKERS + 1)
    workers = [context.Process(target=work, args=(fd, count, start)) for _ in range(WORKERS)]
    for worker in workers:
        worker.start()
    start.wait()
    started = time.perf_counter()
    for worker in workers:
        worker.join()
    if any(worker.exitcode for worker in workers):
        raise RuntimeError("a worker failed")
    return WORKERS * count / (time.perf_counter() - started)


def main() -> None:
    """Print all three."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 30_000
    fd = create_shared()
    trio.run(rounds, "alone", MemoryStore(now_ms), count)
    trio.run(rounds, "shared, one process", SharedStore(fd, now_ms), count)
    print(f"{f'shared, {WORKERS} processes':24} {together(fd, count):.0f} checks/s")
    os.close(fd)


if __name__ == "__main__":
    main()
