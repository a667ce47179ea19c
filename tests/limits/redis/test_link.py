import select
import socket
import struct
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

import pytest
import trio
import trio.testing
from attrs import define, field

from clawgw.limits.bucket import Bucket, Spent
from clawgw.limits.redis import calls
from clawgw.limits.redis.keys import Rule, Rules, record_of, rule, spendings
from clawgw.limits.redis.link import BATCH, FEW, Job, Link, Unanswered
from clawgw.limits.redis.scripts import Scripts
from tests.certificates import authority
from tests.limits.redis.server import RedisServer, find_redis_server
from tests.limits.redis.stores import now_ms

SCRIPTS = Scripts.read()
PATIENCE_S = 10.0
MUCH = rule(Bucket("key", "a", "usd", 10**9, "month"))


@define(eq=False)
class Noted(Job):
    has_ended: trio.Event = field(factory=trio.Event)

    def done(self) -> None:
        self.has_ended.set()

    async def numbers(self) -> Sequence[int]:
        with trio.fail_after(PATIENCE_S):
            await self.has_ended.wait()
        assert isinstance(self.answer, bytes), self.answer
        return struct.unpack(f"<{len(self.answer) // 8}q", self.answer)


def one_of(bucket: Rule, reservation: str) -> Noted:
    return one_of_each([bucket], reservation)


def one_of_each(buckets: Sequence[Rule], reservation: str) -> Noted:
    keys = [bucket.key for bucket in buckets]
    order = calls.Order(record_of(reservation), Rules(buckets, keys, with_places=True), [1] * len(buckets))
    return Noted(SCRIPTS.reserve, keys, calls.reserve([order], 9 * 10**15, 600_000))


def place(name: str) -> Rule:
    """A bucket of one."""
    return rule(Bucket("key", name, "concurrent", 1))


@asynccontextmanager
async def linked(url: str) -> AsyncIterator[Link]:
    link = Link(url, PATIENCE_S)
    try:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(link.run)
            yield link
            nursery.cancel_scope.cancel()
    finally:
        with trio.CancelScope(shield=True):
            await link.finish()


async def test_of_many_calls_each_has_an_answer_of_its_own(server: RedisServer) -> None:
    buckets = [place("a"), place("broken"), place("b"), place("a")]
    jobs = [one_of(bucket, str(number)) for number, bucket in enumerate(buckets)]
    server.client.set(buckets[1].key, "no places")
    async with linked(server.url) as link:
        for job in jobs:
            link.submit(job)
        assert [(await jobs[number].numbers())[::3] for number in (0, 2, 3)] == [(1, 1), (1, 1), (0, 1)]
        assert jobs[1].answer == Unanswered("ResponseError")


async def test_a_bucket_that_many_share_is_read_and_written_once(server: RedisServer) -> None:
    server.client.config_resetstat()
    budget, today_ms = Bucket("key", "a", "usd", 100, "day"), now_ms() // 86_400_000 * 86_400_000
    said = spendings(budget, today_ms)
    jobs = [
        Noted(SCRIPTS.seed, [rule(budget).key, said], calls.seed(budget, said, Spent(spent, today_ms, "ledger")))
        for spent in (3, 7, 5)
    ]
    link = Link(server.url, PATIENCE_S)
    for job in jobs:
        link.submit(job)
    await link.finish()
    ran = {name: stats["calls"] for name, stats in server.client.info("commandstats").items()}
    assert [job.answer for job in jobs] == [1, 1, 1]
    assert (ran["cmdstat_eval"], ran["cmdstat_mget"], ran["cmdstat_set"]) == (1, 1, 1)


async def test_what_comes_while_something_is_under_way_goes_together(server: RedisServer) -> None:
    """The first two alone; those after them when they are many, or when there is an answer."""
    jobs = [one_of(MUCH, str(number)) for number in range(FEW + 2 * BATCH + 3)]
    async with linked(server.url) as link:
        await begin(link)
        server.client.config_resetstat()
        for job in jobs:
            link.submit(job)
        assert [(await job.numbers())[3] for job in jobs] == [number + 2 for number in range(len(jobs))]
    assert server.client.info("commandstats")["cmdstat_evalsha"]["calls"] == FEW + 3


async def test_what_has_time_goes_with_the_next_that_has_not(server: RedisServer) -> None:
    async with linked(server.url) as link:
        await begin(link)
        server.client.config_resetstat()
        jobs = [one_of(MUCH, str(number)) for number in range(3)]
        for job in jobs[:2]:
            link.post(job)
        link.submit(jobs[2])
        assert [(await job.numbers())[3] for job in jobs] == [2, 3, 4]
    assert server.client.info("commandstats")["cmdstat_evalsha"]["calls"] == 1


@pytest.mark.parametrize("say", [Link.flush, partial(Link.check, patience_s=PATIENCE_S)])
async def test_and_when_somebody_says_so(server: RedisServer, say: Callable[[Link], None]) -> None:
    async with linked(server.url) as link:
        first = one_of(MUCH, "first")
        link.post(first)
        say(link)
        assert (await first.numbers())[3] == 1
        server.client.config_resetstat()
        jobs = [one_of(MUCH, str(number)) for number in range(3)]
        for job in jobs:
            link.post(job)
        await trio.testing.wait_all_tasks_blocked(0.01)
        assert [job.answer for job in jobs] == [None, None, None]
        say(link)
        assert [(await job.numbers())[3] for job in jobs] == [2, 3, 4]
    assert server.client.info("commandstats")["cmdstat_evalsha"]["calls"] == 1


async def begin(link: Link) -> None:
    """Connect, and tell the script."""
    first = one_of(MUCH, "first")
    link.submit(first)
    await first.numbers()


async def test_a_script_that_redis_has_forgotten_is_told_again(server: RedisServer) -> None:
    async with linked(server.url) as link:
        for number in range(3):
            job = one_of(MUCH, str(number))
            link.submit(job)
            assert (await job.numbers())[3] == number + 1
            server.client.script_flush()


async def test_more_than_redis_takes_at_once_goes_when_it_can(doomed: RedisServer) -> None:
    """Redis is stopped until megabytes are under way."""
    async with linked(doomed.url) as link:
        await begin(link)
        doomed.freeze()
        jobs = [one_of(MUCH, str(number)) for number in range(20_000)]
        for job in jobs:
            link.submit(job)
        doomed.thaw()
        assert (await jobs[-1].numbers())[3] == 20_001


async def test_what_nobody_waits_for_is_not_sent(server: RedisServer) -> None:
    link = Link(server.url, PATIENCE_S)
    abandoned, wanted = (one_of(place("a"), name) for name in ("first", "second"))
    abandoned.abandoned = True
    link.submit(abandoned)
    link.submit(wanted)
    await link.finish()
    assert abandoned.answer is None
    assert (await wanted.numbers())[0] == 1


async def test_whoever_waits_when_redis_goes_away_hears_of_it_and_the_next_is_answered(doomed: RedisServer) -> None:
    async with linked(doomed.url) as link:
        await begin(link)
        doomed.freeze()
        job = one_of(place("a"), "a")
        link.submit(job)
        link.check(patience_s=PATIENCE_S)
        assert job.answer is None
        link.check(patience_s=0)
        assert job.answer == Unanswered("TimeoutError")
        doomed.kill()
        doomed.start()
        job = one_of(place("a"), "b")
        link.submit(job)
        assert (await job.numbers())[0] == 1
        doomed.kill()
        job = one_of(place("a"), "c")
        link.submit(job)
        await job.has_ended.wait()
        assert job.answer in {Unanswered("ConnectionError"), Unanswered("ConnectionResetError")}


async def test_what_has_come_in_time_is_heard_though_nobody_looked(server: RedisServer) -> None:
    async with linked(server.url) as link:
        await begin(link)
        job = one_of(place("a"), "a")
        link.submit(job)
        assert link._line is not None
        select.select([link._line._socket], [], [], PATIENCE_S)
        link.check(patience_s=0)
        assert isinstance(job.answer, bytes)


@pytest.fixture
def over_tls(tmp_path: Path) -> Iterator[str]:
    """The URL of a Redis that talks TLS."""
    issued, trusted = authority().issue_cert("127.0.0.1"), tmp_path / "ca"
    authority().cert_pem.write_to_path(trusted)
    issued.private_key_and_cert_chain_pem.write_to_path(tmp_path / "cert")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    files = [f"--tls-{use}-file={tmp_path / 'cert'}" for use in ("cert", "key")]
    options = f"--tls-port {port} --tls-auth-clients no --tls-ca-cert-file {trusted}".split()
    server = RedisServer(find_redis_server(), *options, *[word for file in files for word in file.split("=")])
    yield f"rediss://127.0.0.1:{port}?ssl_ca_certs={trusted}"
    server.close()


async def test_it_talks_tls(over_tls: str) -> None:
    """The answers to a job of many buckets come in several records, and Trio sees but the first."""
    buckets = [rule(Bucket("quota", str(number), "usd", 10**9, "month")) for number in range(1_500)]
    async with linked(over_tls) as link:
        jobs = [one_of_each(buckets, "a") for _ in range(3)]
        for job in jobs:
            link.submit(job)
        for number, job in enumerate(jobs):
            assert (await job.numbers())[3::2] == (number + 1,) * len(buckets)
