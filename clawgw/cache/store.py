"""Where answers are kept."""

from typing import Protocol

import trio

from clawgw.cache.entry import Entry

SHARE = 64
"""No answer takes more than this part of `[cache].max_bytes`: one must not drive out all others."""


class AnswerStore(Protocol):
    """Loses answers whenever it likes, and never gives one twice as old as it may be: after its time it is gone."""

    async def get(self, key: bytes) -> Entry | None:
        """The answer kept under a key. Does not raise, and does not wait for long."""

    def put(self, key: bytes, entry: Entry, ttl_s: float) -> None:
        """Keep an answer for so long, if that is possible. Neither waits nor raises."""

    async def run(self, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """What it does beside answering, until that is done or cancelled. Without it, nothing may be found."""
