"""Questions to Redis, and waiting for the answers: all wait equally long, and one task keeps the time for all of them.

A deadline of its own for each would cost more than the rest of the question. Patience is with Redis: where it is this
process that is too busy to ask or to hear, its questions wait up to `BUSY_S` longer.
"""

from collections import deque
from collections.abc import Callable, Sequence
from typing import Any

import trio
from attrs import define

from clawgw.limits.redis.link import Answer, Job, Link, Unanswered
from clawgw.limits.redis.scripts import Script

BUSY_S = 0.2
LOOK_S = 0.005
TURN_S = 0.05
"""For so long at most nobody looks after the link, and what was told waits where nobody flushes it."""


@define(eq=False)
class _Question(Job):
    deadline_s: float
    regret: Callable[[], None]
    waiting: trio.lowlevel.Task | None = None

    def done(self) -> None:
        if self.abandoned or isinstance(self.answer, Unanswered):
            self.regret()
        self._wake()

    def give_up(self) -> None:
        if self.waiting is not None:
            self.abandoned = True
            self._wake()

    def abort(self, _raise_cancel: Callable[[], Any]) -> trio.lowlevel.Abort:
        self.abandoned, self.waiting = True, None
        return trio.lowlevel.Abort.SUCCEEDED

    def _wake(self) -> None:
        if self.waiting is not None:
            trio.lowlevel.reschedule(self.waiting)
            self.waiting = None


def no_regret() -> None:
    """It does no harm to have asked."""


class Desk:
    """Takes questions while it runs."""

    def __init__(self, link: Link, patience_s: float) -> None:
        self._link = link
        self._patience_s = patience_s
        self._asked: deque[_Question] = deque()
        self._open = False

    async def ask(
        self,
        script: Script,
        keys: Sequence[bytes],
        call: bytes,
        regret: Callable[[], None] = no_regret,
    ) -> Answer:
        """What a script says, if it does so in time.

        `regret` is called, soon or later, where the script may have run and nobody has got its answer.
        """
        if not self._open:
            return Unanswered("Stopped")
        question = _Question(script, keys, call, trio.current_time() + self._patience_s, regret)
        question.waiting = trio.lowlevel.current_task()
        while self._asked and self._asked[0].waiting is None:
            self._asked.popleft()
        self._asked.append(question)
        self._link.submit(question)
        await trio.lowlevel.wait_task_rescheduled(question.abort)
        return Unanswered(TimeoutError.__name__) if question.abandoned else question.answer

    async def run(self, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Send away those who have waited for long enough; at the end, everybody."""
        self._open = True
        task_status.started()
        try:
            while True:
                self._link.check(self._patience_s)
                now_s = trio.current_time()
                while self._asked and self._is_over(self._asked[0], now_s):
                    self._asked.popleft().give_up()
                next_s = self._asked[0].deadline_s if self._asked else now_s + TURN_S
                await trio.sleep_until(max(min(next_s, now_s + TURN_S), now_s + LOOK_S))
        finally:
            self._open = False
            while self._asked:
                self._asked.popleft().give_up()

    def _is_over(self, question: _Question, now_s: float) -> bool:
        if question.waiting is None:
            return True
        if now_s < question.deadline_s:
            return False
        return self._link.silent_s >= self._patience_s or now_s >= question.deadline_s + BUSY_S
