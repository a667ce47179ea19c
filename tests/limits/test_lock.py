import os
import time
from collections.abc import Iterator

import pytest

from clawgw.limits.lock import IMPATIENT_S, RecordLock
from clawgw.limits.table import create_shared
from tests.given_time import Stopwatch
from tests.limits.processes import go, line, working


@pytest.fixture
def fd() -> Iterator[int]:
    fd = create_shared()
    yield fd
    os.close(fd)


def test_waits_for_who_holds_it_briefly(fd: int) -> None:
    with working(fd, "hold_lock", 0.05) as other:
        lock = RecordLock(fd, patience_s=20)
        assert line(other) == "held"
        go(other)
        assert lock.acquire()
        assert line(other) == "released"


def test_waits_no_longer_than_its_patience_and_then_not_at_all_for_a_while(fd: int) -> None:
    with working(fd, "hold_lock", 0) as other:
        assert line(other) == "held"
        lock = RecordLock(fd, patience_s=0.01)
        started, stopwatch = time.monotonic(), Stopwatch()
        assert not lock.acquire()
        assert time.monotonic() - started >= 0.01
        assert stopwatch.given_s() < IMPATIENT_S
        assert [lock.acquire() for _ in range(100)] == [False] * 100
        other.kill()
        other.wait()
    assert lock.acquire()


def test_is_free_after_its_release(fd: int) -> None:
    lock = RecordLock(fd)
    assert lock.acquire()
    lock.release()
    with working(fd, "hold_lock", 0) as other:
        assert line(other) == "held"
