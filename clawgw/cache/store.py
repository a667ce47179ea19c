"""Where answers are kept."""

from typing import Protocol

from clawgw.cache.entry import Entry

SHARE = 64
"""No answer takes more than this part of `[cache].max_bytes`: one must not drive out all others."""


class AnswerStore(Protocol):
    """Loses answers whenever it likes, and never gives one twice as old as it may be: after its time it is gone."""

    async def get(self, key: bytes) -> Entry | None:
        """The answer kept under a key. Does not raise, and does not wait for long."""

    def put(self, key: bytes, entry: Entry, ttl_s: float) -> None:
        """Keep an answer for so long, if that is possible. Neither waits nor raises."""
