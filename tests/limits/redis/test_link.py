import trio

from clawgw.limits.bucket import Bucket
from clawgw.limits.redis.connection import connection
from clawgw.limits.redis.keys import rule, spendings
from clawgw.limits.redis.link import Job, Link, Unanswered
from clawgw.limits.redis.scripts import Scripts
from tests.limits.redis.server import RedisServer
from tests.limits.redis.stores import now_ms

SEED = Scripts.read().seed
RESERVE = Scripts.read().reserve


def place(name: str) -> Job:
    """A place of a bucket of one."""
    key = rule(Bucket("key", name, "concurrent", 1)).key
    return Job(RESERVE, [f"record of {name}", key], [9 * 10**15, 600_000, name, "places", 1, 1])


def test_of_many_calls_each_has_an_answer_of_its_own(server: RedisServer) -> None:
    jobs = [place("a"), place("broken"), place("b"), place("a")]
    server.client.set(jobs[1].keys[1], "no places")
    Link(connection(server.url, 10))._run(jobs)
    answers = [job.answer if isinstance(job.answer, Unanswered) else (job.answer[0], job.answer[3]) for job in jobs]
    assert answers == [(1, 1), Unanswered("ResponseError"), (1, 1), (0, 1)]


def test_a_bucket_that_many_share_is_read_and_written_once(server: RedisServer) -> None:
    server.client.config_resetstat()
    budget, today_ms = Bucket("key", "a", "usd", 100, "day"), now_ms() // 86_400_000 * 86_400_000
    keys = [rule(budget).key, spendings(budget, today_ms)]
    jobs = [Job(SEED, keys, ["day", today_ms, "ledger", spent]) for spent in (3, 7, 5)]
    Link(connection(server.url, 10))._run(jobs)
    ran = {name: stats["calls"] for name, stats in server.client.info("commandstats").items()}
    assert [job.answer for job in jobs] == [1, 1, 1]
    assert (ran["cmdstat_eval"], ran["cmdstat_mget"], ran["cmdstat_set"]) == (1, 1, 1)


async def test_what_nobody_waits_for_is_not_sent(server: RedisServer) -> None:
    link = Link(connection(server.url, 10))
    abandoned, wanted = place("a"), place("a")
    abandoned.abandoned = True
    link.submit(abandoned)
    link.submit(wanted)
    link.start()
    await link.stop()
    assert abandoned.answer is None
    assert not isinstance(wanted.answer, Unanswered)
    assert wanted.answer[0] == 1


async def test_after_the_end_of_trio_an_answer_harms_nobody(server: RedisServer) -> None:
    link = Link(connection(server.url, 10))

    async def begin() -> None:
        link.start()

    await trio.to_thread.run_sync(trio.run, begin)
    link._tell(lambda: None)
    link._jobs.put(None)
