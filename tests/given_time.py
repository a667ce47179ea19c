"""Time as the machine gave it, for what has to be quick however busy the machine is.

Of the time on the clock, that in which a thread could have gone on and got no processor does not count: Linux keeps it
for each thread (docs.kernel.org/scheduler/sched-stats.html, `schedstat`). What a thread sleeps or computes does count.
"""

import os
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

import trio

from tests.waiting import PATIENCE_S


class Stopwatch:
    """Runs from when it is made, for this process and `others`, by their numbers."""

    def __init__(self, *others: int) -> None:
        self._processes = (os.getpid(), *others)
        self._withheld = self._look()
        self._began = time.monotonic()

    def given_s(self) -> float:
        """The seconds so far, less those for which a processor was waited for."""
        wall_s = time.monotonic() - self._began
        withheld = (after - self._withheld.get(thread, 0) for thread, after in self._look().items())
        return wall_s - sum(withheld) / 1e9

    def _look(self) -> Mapping[Path, int]:
        """For how many nanoseconds each thread has been kept waiting in its life."""
        threads = [thread for process in self._processes for thread in Path(f"/proc/{process}/task").iterdir()]
        found = {}
        for thread in threads:
            with suppress(FileNotFoundError, ProcessLookupError):  # it has ended, or the kernel does not tell
                found[thread] = int((thread / "schedstat").read_text().split()[1])
        return found


@contextmanager
def within(seconds: float, *others: int) -> Iterator[None]:
    """What Trio waits for in the block has to come in this time, as given to this process and `others`."""
    stopwatch = Stopwatch(*others)
    with trio.fail_after(PATIENCE_S):
        yield
    assert stopwatch.given_s() < seconds
