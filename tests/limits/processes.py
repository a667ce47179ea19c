"""Worker processes that share a table of limits, for tests of what no single process can show.

`python -m tests.limits.processes FD PATIENCE_S JOB ARGUMENT…` runs one job of `JOBS` on the inherited table.
"""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from clawgw.limits.bucket import Bucket
from clawgw.limits.lock import RecordLock
from clawgw.limits.shared import SharedStore
from tests.limits.claims import Claim
from tests.limits.direct import Directly

ROOT = Path(__file__).parents[2]
NOON = 1_709_208_000_000
PLACES = Bucket("provider", "p", "concurrent", 1_000)
PAIR = (Bucket("key", "k", "tokens", 10**9), Bucket("label", "l", "usd", 10**12, "day"))


def budget(limit: int) -> Bucket:
    return Bucket("route", "r", "usd", limit, "month")


def take(store: Directly, limit: str, tries: str) -> None:
    """When told to, one at a time of a budget; says how many it got, and how often the table was out of reach."""
    say("ready")
    sys.stdin.readline()
    claim = Claim(budget(int(limit)), 1)
    got = sum(store.passes(str(number), claim) for number in range(int(tries)))
    say(got, _unreached(store))


def churn(store: Directly) -> None:
    """Take and settle for ever: of two buckets always the same, and a place; says when it has begun."""
    number = 0
    while True:
        number += 1
        store.reserve(str(number), [Claim(PAIR[0], 3), Claim(PAIR[1], 3), Claim(PLACES, 1)])
        store.settle(str(number), [1, 1, 0])
        if number == 1:
            say("begun")


def hold(store: Directly, places: str) -> None:
    """Hold so many places, and wait to be killed."""
    say(store.passes("held", Claim(PLACES, int(places))))
    signal.pause()


def hold_lock(store: Directly, hold_s: str) -> None:
    """Hold the lock until told to begin, and then for so long; then wait to be killed."""
    lock = _lock(store)
    assert lock.acquire()
    say("held")
    sys.stdin.readline()
    time.sleep(float(hold_s))
    lock.release()
    say("released")
    signal.pause()


def stop(store: Directly) -> None:
    """Stop in the middle of it, as only a signal can make one."""
    lock = _lock(store)
    assert lock.acquire()
    say("stopped")
    os.kill(os.getpid(), signal.SIGSTOP)
    lock.release()
    signal.pause()


def say(*words: object) -> None:
    """Tell the test."""
    print(*words, flush=True)  # noqa: T201 - this is how it talks


def _lock(store: Directly) -> RecordLock:
    assert isinstance(store.store, SharedStore)
    return store.store._lock


def _unreached(store: Directly) -> int:
    assert isinstance(store.store, SharedStore)
    return store.store.unreached


JOBS = {job.__name__: job for job in (take, churn, hold, hold_lock, stop)}


@contextmanager
def working(fd: int, job: str, *arguments: object, patience_s: float = 20.0) -> Iterator["subprocess.Popen[str]"]:
    """A process at a job, killed in the end."""
    command = [sys.executable, "-m", "tests.limits.processes", str(fd), str(patience_s), job, *map(str, arguments)]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, cwd=ROOT, pass_fds=[fd], stdin=pipe, stdout=pipe, text=True) as process:  # noqa: S603 - of the test's own making
        try:
            yield process
        finally:
            process.kill()


def go(process: "subprocess.Popen[str]") -> None:
    """Let it begin."""
    assert process.stdin is not None
    process.stdin.write("\n")
    process.stdin.flush()


def line(process: "subprocess.Popen[str]") -> str:
    """The next line that it prints."""
    assert process.stdout is not None
    return process.stdout.readline().strip()


def main() -> None:
    fd, patience_s, job, *arguments = sys.argv[1:]
    store = Directly(SharedStore(int(fd), lambda: NOON, float(patience_s)))
    JOBS[job](store, *arguments)


if __name__ == "__main__":
    main()
