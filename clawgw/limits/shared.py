"""The store of limits of several workers on one machine: a shared table under a lock, exact over all of them.

When another process was stopped while it held the lock, each process counts what is reserved for itself, in a table of
its own; what was reserved in the shared one is settled and renewed there when the lock can be had again.
"""

from collections import deque
from collections.abc import Callable, Sequence
from functools import partial

import trio

from clawgw.limits.bucket import Bucket, Spent, Standing, Verdict, Wanted
from clawgw.limits.lock import PATIENCE_S, RecordLock
from clawgw.limits.memory import MemoryStore
from clawgw.limits.store import RENEW_MS
from clawgw.limits.table import Table


class SharedStore:
    """A `LimitStore`. Not for several threads, and in a process no more than one for the same table."""

    def __init__(self, fd: int, now_ms: Callable[[], int], patience_s: float = PATIENCE_S) -> None:
        """Join the table `fd`, from `create_shared`. `now_ms`: since the epoch, the same clock in all processes."""
        self._table = Table(fd)
        self._lock = RecordLock(fd, patience_s)
        self._shared = MemoryStore(now_ms, self._table)
        self._spare = MemoryStore(now_ms)
        self._owed: deque[Callable[[], None]] = deque()
        self.unreached = 0
        """How often the lock could not be had in time."""

    @property
    def degraded(self) -> None:
        """As `LimitStore.degraded`: it never is for long."""

    @property
    def evicted(self) -> int:
        """How many buckets this process has forgotten for want of room."""
        return self._shared.evicted

    async def reserve(self, wanted: Sequence[Wanted], expires_ms: int) -> Sequence[Verdict]:
        """As `LimitStore.reserve`. The whole process waits for the lock, as it is held for microseconds."""
        if not self._enter():
            return self._spare.decide(wanted, expires_ms)
        try:
            return self._shared.decide(wanted, expires_ms)
        finally:
            self._lock.release()

    def settle(self, reservation: str, used: Sequence[int]) -> None:
        """As `LimitStore.settle`."""
        self._spare.settle(reservation, used)
        self._owe(partial(self._shared.settle, reservation, used))

    def flush(self) -> None:
        """As `LimitStore.flush`: nothing waits."""

    def peek(self, bucket: Bucket) -> Standing | None:
        """As `LimitStore.peek`."""
        return self._shared.peek(bucket)

    def seed(self, bucket: Bucket, spent: Spent) -> None:
        """As `LimitStore.seed`; of one ledger."""
        self._owe(partial(self._shared.seed, bucket, spent))

    async def run(self, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """As `LimitStore.run`."""
        task_status.started()
        while True:
            await trio.sleep(RENEW_MS / 1000)
            self.renew()

    def renew(self) -> None:
        """One turn of `run`, of which others need not wait for the end; what is settled by then is not renewed."""
        self._spare.renew()
        if self._enter():
            self._lock.release()
            for renewal in self._shared.renewals():
                self._owe(renewal)

    def close(self) -> None:
        """Give the memory back; nothing else may be called after that. The descriptor stays open."""
        self._shared.close()
        self._spare.close()

    def _owe(self, charge: Callable[[], None]) -> None:
        """Do it under the lock: now, or when the lock can be had again."""
        if not self._enter():
            self._owed.append(charge)
            return
        try:
            charge()
        finally:
            self._lock.release()

    def _enter(self) -> bool:
        """Get the lock, and do what is left to do. `False`: it cannot be had."""
        if not self._lock.acquire():
            self.unreached += 1
            return False
        try:
            self._table.repair()
            while self._owed:
                self._owed.popleft()()
        except BaseException:
            self._lock.release()
            raise
        return True
