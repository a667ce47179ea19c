import errno
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clawgw.web.tally import REGION_BYTES, Tally, forget

NAMES = st.lists(st.tuples(st.binary(max_size=40), st.integers(1, 5)), max_size=30)


@given(NAMES)
def test_every_series_is_there_with_its_numbers(names: list[tuple[bytes, int]]) -> None:
    tally, counted = Tally("counts"), []
    for order, (name, size) in enumerate(names):
        cells = tally.take(name, size)
        assert cells.tolist() == [0.0] * size
        cells[size - 1] = order + 0.5
        counted.append((name, (0.0,) * (size - 1) + (order + 0.5,)))
    assert [*tally.series()] == counted


@pytest.mark.parametrize("shared", [False, True])
def test_there_is_always_room_for_one_more(tmp_path: Path, *, shared: bool) -> None:
    tally = Tally("counts", tmp_path if shared else None)
    size = REGION_BYTES // 8 // 2
    for number in range(4):
        tally.take(b"%d" % number, size)[0] = number
    assert sorted((name, numbers[0], len(numbers)) for name, numbers in tally.series()) == [
        (b"0", 0.0, size),
        (b"1", 1.0, size),
        (b"2", 2.0, size),
        (b"3", 3.0, size),
    ]
    assert len([*tmp_path.iterdir()]) == (4 if shared else 0)


def test_a_series_larger_than_a_region_has_one_of_its_own() -> None:
    tally = Tally("counts")
    for name in (b"small", b"n" * REGION_BYTES, b"after"):
        tally.take(name, 1)[0] = 1
    assert [(name[:5], numbers) for name, numbers in tally.series()] == [
        (b"small", (1.0,)),
        (b"nnnnn", (1.0,)),
        (b"after", (1.0,)),
    ]


def test_a_series_may_fill_a_region_to_its_last_byte() -> None:
    tally = Tally("counts")
    tally.take(b"12345678", REGION_BYTES // 8 - 2)[0] = 1
    tally.take(b"", 1)[0] = 2
    assert [(name, numbers[0]) for name, numbers in tally.series()] == [(b"12345678", 1), (b"", 2)]


def test_a_full_disk_fails_no_request(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def full(*_: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    tally = Tally("counts", tmp_path)
    tally.take(b"before", 1)[0] = 1
    monkeypatch.setattr("os.posix_fallocate", full)
    tally.take(b"after", REGION_BYTES)[0] = 2
    assert [(name, numbers[0]) for name, numbers in tally.series()] == [(b"before", 1)]
    assert "No space left on device" in caplog.text
    assert len([*tmp_path.iterdir()]) == 1


_KILLED = """
import os, signal, sys
from pathlib import Path
from clawgw.web.tally import Tally
folder = Path(sys.argv[1])
Tally("gauges", folder).take(b"doing", 1)[0] = 1
cells = Tally("counts", folder).take(b"done", 2)
for _ in range(1000):
    cells[1] += 0.25
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_what_a_killed_process_has_counted_is_there(tmp_path: Path) -> None:
    killed = subprocess.Popen([sys.executable, "-c", _KILLED, tmp_path])  # noqa: S603 - our own code
    assert killed.wait() == -signal.SIGKILL
    counts, gauges = Tally("counts", tmp_path), Tally("gauges", tmp_path)
    counts.take(b"done", 2)[1] = 1.5
    gauges.take(b"doing", 1)[0] = 2.0
    assert sorted(counts.series()) == [(b"done", (0.0, 1.5)), (b"done", (0.0, 250.0))]
    assert sorted(gauges.series()) == [(b"doing", (1.0,)), (b"doing", (2.0,))]
    forget(tmp_path, "gauges", killed.pid)
    assert sorted(counts.series()) == [(b"done", (0.0, 1.5)), (b"done", (0.0, 250.0))]
    assert sorted(gauges.series()) == [(b"doing", (2.0,))]


def test_a_file_that_has_only_just_been_made_holds_nothing(tmp_path: Path) -> None:
    (tmp_path / f"counts-{os.getpid()}-x").touch()
    assert [*Tally("counts", tmp_path).series()] == []


def test_a_process_forgotten_meanwhile_is_passed_over(tmp_path: Path) -> None:
    (tmp_path / "counts-1-gone").symlink_to(tmp_path / "nowhere")
    assert [*Tally("counts", tmp_path).series()] == []
