import trio
from attrs import define, field
from trio.testing import MockClock

from clawgw.limits.redis.asking import BUSY_S, LOOK_S, Desk
from clawgw.limits.redis.link import Answer, Job, Unanswered
from clawgw.limits.redis.scripts import Scripts

PATIENCE_S = 0.05
SCRIPT = Scripts.read().beat
TIMED_OUT = Unanswered("TimeoutError")


@define
class Silence:
    """A link that says nothing, for longer and longer or because nobody listens."""

    silent_s: float
    jobs: list[Job] = field(factory=list)

    def submit(self, job: Job) -> None:
        self.jobs.append(job)

    def check(self, patience_s: float) -> None:
        """There is nothing to hear."""


async def waited(desk: Desk, answers: list[Answer], regretted: list[str]) -> float:
    started = trio.current_time()
    answers.append(await desk.ask(SCRIPT, [b"key"], b"call", lambda: regretted.append("regretted")))
    return trio.current_time() - started


async def test_nobody_waits_longer_for_a_silent_redis_and_longest_for_a_busy_one(autojump_clock: MockClock) -> None:
    for silent_s, longest_s in ((PATIENCE_S, PATIENCE_S), (0.0, PATIENCE_S + BUSY_S)):
        link, answers, regretted = Silence(silent_s), list[Answer](), list[str]()
        desk = Desk(link, PATIENCE_S)  # type: ignore[arg-type]  # all that it needs of a link
        async with trio.open_nursery() as nursery:
            await nursery.start(desk.run)
            assert longest_s <= await waited(desk, answers, regretted) <= longest_s + 2 * LOOK_S
            assert (answers, regretted) == ([TIMED_OUT], [])
            link.jobs[0].answer = b"after all"
            link.jobs[0].done()
            assert regretted == ["regretted"]
            nursery.cancel_scope.cancel()


async def test_who_waits_at_the_end_waits_no_longer_and_after_it_nobody_waits(autojump_clock: MockClock) -> None:
    answers, regretted = list[Answer](), list[str]()
    desk = Desk(Silence(0.0), patience_s=10)  # type: ignore[arg-type]  # as above
    async with trio.open_nursery() as nursery:
        running = trio.CancelScope()

        async def run(task_status: trio.TaskStatus[None]) -> None:
            with running:
                await desk.run(task_status)

        await nursery.start(run)
        nursery.start_soon(waited, desk, answers, regretted)
        await trio.sleep(1)
        running.cancel()
    assert answers == [TIMED_OUT]
    assert await waited(desk, answers, regretted) == 0
    assert answers == [TIMED_OUT, Unanswered("Stopped")]
