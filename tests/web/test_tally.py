import errno
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from clawgw.web.count_files import CountFiles
from clawgw.web.tally import REGION_BYTES, Tally


@pytest.mark.parametrize("shared", [False, True])
def test_there_is_always_room_for_one_more(tmp_path: Path, *, shared: bool) -> None:
    tally = Tally(CountFiles(tmp_path, "counts") if shared else None)
    size = REGION_BYTES // 8 // 2
    for number in range(4):
        tally.take(b"%d" % number, size)[0] = number
    assert sorted((name, numbers[0], len(numbers)) for name, numbers in tally.series()) == [
        (b"0", 0.0, size),
        (b"1", 1.0, size),
        (b"2", 2.0, size),
        (b"3", 3.0, size),
    ]
    assert len([*tmp_path.glob("counts-*")]) == (4 if shared else 0)


def test_a_series_larger_than_a_region_has_one_of_its_own() -> None:
    tally = Tally()
    for name in (b"small", b"n" * REGION_BYTES, b"after"):
        tally.take(name, 1)[0] = 1
    assert [(name[:5], numbers) for name, numbers in tally.series()] == [
        (b"small", (1.0,)),
        (b"nnnnn", (1.0,)),
        (b"after", (1.0,)),
    ]


def test_a_series_may_fill_a_region_to_its_last_byte() -> None:
    tally = Tally()
    tally.take(b"12345678", REGION_BYTES // 8 - 2)[0] = 1
    tally.take(b"", 1)[0] = 2
    assert [(name, numbers[0]) for name, numbers in tally.series()] == [(b"12345678", 1), (b"", 2)]


def test_a_full_disk_fails_no_request(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def full(*_: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    tally = Tally(CountFiles(tmp_path, "counts"))
    tally.take(b"before", 1)[0] = 1
    monkeypatch.setattr("os.posix_fallocate", full)
    tally.take(b"after", REGION_BYTES)[0] = 2
    assert [(name, numbers[0]) for name, numbers in tally.series()] == [(b"before", 1)]
    assert "No space left on device" in caplog.text
    assert len([*tmp_path.glob("*counts-*")]) == 1


_KILLED = """
import os, signal, sys
from pathlib import Path
from clawgw.web.count_files import CountFiles
from clawgw.web.tally import Tally
folder = Path(sys.argv[1])
Tally(CountFiles(folder, "gauges")).take(b"doing", 1)[0] = 1
cells = Tally(CountFiles(folder, "counts")).take(b"done", 2)
for _ in range(1000):
    cells[1] += 0.25
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_what_a_killed_process_has_counted_is_there(tmp_path: Path) -> None:
    killed = [subprocess.Popen([sys.executable, "-c", _KILLED, tmp_path]) for _ in range(2)]  # noqa: S603 - our own code
    assert [each.wait() for each in killed] == [-signal.SIGKILL] * 2
    of_counts, of_gauges = CountFiles(tmp_path, "counts"), CountFiles(tmp_path, "gauges")
    counts, gauges = Tally(of_counts), Tally(of_gauges)
    counts.take(b"done", 2)[1] = 1.5
    gauges.take(b"doing", 1)[0] = 2.0
    assert sorted(counts.series()) == [(b"done", (0.0, 1.5)), *[(b"done", (0.0, 250.0))] * 2]
    assert sorted(gauges.series()) == [*[(b"doing", (1.0,))] * 2, (b"doing", (2.0,))]
    of_gauges.forget(killed[0].pid)
    of_counts.fold()
    assert sorted(counts.series()) == [(b"done", (0.0, 1.5)), (b"done", (0.0, 500.0))]
    assert sorted(gauges.series()) == [(b"doing", (1.0,)), (b"doing", (2.0,))]
