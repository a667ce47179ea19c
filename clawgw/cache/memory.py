"""Answers in the memory of one worker; each worker has its own."""

from collections import OrderedDict
from collections.abc import Callable

import trio
from attrs import define, field, frozen

from clawgw.cache.entry import Entry
from clawgw.cache.store import SHARE


@frozen
class _Kept:
    entry: Entry
    until: float


@define(eq=False)
class MemoryCache:
    """An `AnswerStore` of at most `max_bytes`; the answer that was not asked for longest goes first. Clock: seconds."""

    max_bytes: int
    clock: Callable[[], float]
    _kept: OrderedDict[bytes, _Kept] = field(init=False, factory=OrderedDict, repr=False)
    _size: int = field(init=False, default=0)

    @property
    def size(self) -> int:
        """What is kept now, in bytes."""
        return self._size

    async def get(self, key: bytes) -> Entry | None:
        """As `AnswerStore.get`."""
        kept = self._kept.get(key)
        if kept is None:
            return None
        if kept.until <= self.clock():
            self._drop(key)
            return None
        self._kept.move_to_end(key)
        return kept.entry

    def put(self, key: bytes, entry: Entry, ttl_s: float) -> None:
        """As `AnswerStore.put`."""
        if entry.size > self.max_bytes // SHARE:
            return
        if key in self._kept:
            self._drop(key)
        self._kept[key] = _Kept(entry, self.clock() + ttl_s)
        self._size += entry.size
        while self._size > self.max_bytes:
            self._drop(next(iter(self._kept)))

    async def run(self, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """As `AnswerStore.run`: nothing."""
        task_status.started()

    def _drop(self, key: bytes) -> None:
        self._size -= self._kept.pop(key).entry.size
