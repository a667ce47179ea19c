"""A lock between processes that is never waited for without end, and that a process cannot take to its grave.

The kernel frees the lock of a process that dies. One that is stopped keeps it: then the others wait for `PATIENCE_S`
once, and for a while after that not at all.
"""

import fcntl
import os
import time

PATIENCE_S = 0.05
IMPATIENT_S = 1.0
"""After waiting in vain, nobody is waited for during this time."""
_YIELDS = 10
_PAUSE_S = 0.0001


class RecordLock:
    """A POSIX record lock on a file's first byte. It belongs to the process, so only one of its threads may use it."""

    def __init__(self, fd: int, patience_s: float = PATIENCE_S) -> None:
        self._fd = fd
        self._patience_s = patience_s
        self._impatient_until = 0.0

    def acquire(self) -> bool:
        """Whether this process has it now."""
        return self._try() or self._wait()

    def release(self) -> None:
        """Let others have it."""
        fcntl.lockf(self._fd, fcntl.LOCK_UN, 1)

    def _try(self) -> bool:
        try:
            fcntl.lockf(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB, 1)
        except OSError:
            return False
        return True

    def _wait(self) -> bool:
        now = started = time.monotonic()
        if now < self._impatient_until:
            return False
        tries = 0
        while now - started < self._patience_s:
            if tries < _YIELDS:
                os.sched_yield()
            else:
                time.sleep(_PAUSE_S)
            if self._try():
                return True
            tries += 1
            now = time.monotonic()
        self._impatient_until = now + IMPATIENT_S
        return False
