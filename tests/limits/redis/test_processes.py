"""Several gateways that share one Redis, each a process."""

import multiprocessing
from multiprocessing.connection import Connection

import trio

from clawgw.limits.bucket import Bucket
from clawgw.limits.redis.scripts import Scripts
from tests.given_time import within
from tests.limits.claims import Claim
from tests.limits.redis.server import RedisServer
from tests.limits.redis.stores import passes, passes_at_last, patient, running

TEN = Bucket("key", "alice", "requests", 10)
PLACES = Bucket("key", "alice", "concurrent", 3)
LEASE_MS = 800
JOIN_S = 30.0
spawn = multiprocessing.get_context("spawn")


def ask(url: str, name: str, parent: Connection) -> None:
    """Say ready, wait for the word, ask fifty times at once, and say how many passed."""
    passed: list[bool] = []

    async def main() -> None:
        async with running(patient(url)) as store:
            parent.send("ready")
            await trio.to_thread.run_sync(parent.recv)
            async with trio.open_nursery() as nursery:
                for number in range(50):
                    nursery.start_soon(one, store, f"{name}-{number}")

    async def one(store: object, reservation: str) -> None:
        passed.append(await passes(store, reservation, Claim(TEN, 1)))  # type: ignore[arg-type]  # a store, from above

    trio.run(main)
    parent.send(sum(passed))


def hold(url: str, parent: Connection) -> None:
    """Take every place, and never let go."""

    async def main() -> None:
        async with running(patient(url, scripts=Scripts.read(lease_ms=LEASE_MS))) as store:
            parent.send(await passes(store, "held", Claim(PLACES, 3)))
            await trio.sleep_forever()

    trio.run(main)


def test_fifty_at_once_in_each_of_three_processes_on_a_burst_of_ten(server: RedisServer) -> None:
    pipes = [spawn.Pipe() for _ in range(3)]
    processes = [spawn.Process(target=ask, args=(server.url, str(n), there)) for n, (_, there) in enumerate(pipes)]
    for process in processes:
        process.start()
    assert [here.recv() for here, _ in pipes] == ["ready"] * 3
    for here, _ in pipes:
        here.send("now")
    assert sum(here.recv() for here, _ in pipes) == 10
    for process in processes:
        process.join(JOIN_S)
        process.close()


async def test_a_killed_process_gives_its_places_back(server: RedisServer) -> None:
    here, there = spawn.Pipe()
    process = spawn.Process(target=hold, args=(server.url, there))
    process.start()
    assert await trio.to_thread.run_sync(here.recv)
    async with running(patient(server.url)) as store:
        await trio.sleep(2 * LEASE_MS / 1000)
        assert not await passes(store, "a", Claim(PLACES, 1))
        process.kill()
        with within(2 * LEASE_MS / 1000):
            await passes_at_last(store, "b", Claim(PLACES, 3))
    process.join(JOIN_S)
    process.close()
