import fcntl
import os
import signal
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

import pytest

from clawgw.web.count_files import CountFiles, count_folder
from clawgw.web.region import begin, region_of, series_in


@pytest.fixture
def files(tmp_path: Path) -> CountFiles:
    return CountFiles(tmp_path, "counts")


def left_behind(files: CountFiles, name: str, **counts: float) -> None:
    """By a process that has ended."""
    region = region_of((key.encode(), (value, 2 * value)) for key, value in counts.items())
    (files.folder / f"counts-{name}").write_bytes(region)


def found(files: CountFiles) -> list[tuple[bytes, tuple[float, ...]]]:
    return sorted((name, tuple(numbers)) for region in files.read() for name, numbers in series_in(region))


def names(files: CountFiles) -> list[str]:
    return sorted(path.name for path in files.folder.glob("*counts*"))


def test_what_the_dead_have_counted_becomes_one_file_and_the_living_keep_theirs(files: CountFiles) -> None:
    living = files.new(64)
    cells = begin(living, 0, b"b", 2)
    (own,) = names(files)
    left_behind(files, "1-x", a=1, b=2)
    left_behind(files, "2-y", b=3, c=4)
    files.fold()
    left_behind(files, "3-z", a=5)
    files.fold()
    files.fold()
    cells[0] = 0.5
    assert found(files) == [(b"a", (6, 12)), (b"b", (0.5, 0)), (b"b", (5, 10)), (b"c", (4, 8))]
    assert names(files) == sorted([own, "counts-ended"])


def test_one_alone_stays_as_it_is(files: CountFiles) -> None:
    left_behind(files, "1-x", a=1)
    files.fold()
    assert names(files) == ["counts-1-x"]


def test_while_somebody_reads_nothing_is_moved(files: CountFiles) -> None:
    left_behind(files, "1-x", a=1)
    left_behind(files, "2-x", a=1)
    with (files.folder / "readers.lock").open("w") as reader:
        fcntl.flock(reader, fcntl.LOCK_SH)
        files.fold()
        assert names(files) == ["counts-1-x", "counts-2-x"]
    files.fold()
    assert found(files) == [(b"a", (2, 4))]


def test_whoever_reads_meanwhile_finds_every_count_once(files: CountFiles) -> None:
    ended = 0

    def end_one_after_the_other() -> None:
        nonlocal ended
        for number in range(200):
            left_behind(files, f"{number}-x", a=1)
            ended += 1
            files.fold()

    left_behind(files, "first", a=0)
    thread = threading.Thread(target=end_one_after_the_other)
    thread.start()
    reads = 0
    while thread.is_alive() or not reads:
        least = ended
        total = sum(numbers[0] for _, numbers in found(files))
        assert least <= total <= ended + 1
        reads += 1
    thread.join()
    files.fold()
    assert found(files) == [(b"a", (200, 400))]


def test_only_those_of_a_process_are_forgotten(files: CountFiles) -> None:
    for name in ("1-x", "1-y", "12-x", "ended"):
        left_behind(files, name, a=1)
    files.forget(1)
    assert names(files) == ["counts-12-x", "counts-ended"]


def test_a_process_forgotten_meanwhile_is_passed_over(files: CountFiles) -> None:
    (files.folder / "counts-1-gone").symlink_to(files.folder / "nowhere")
    assert files.read() == []


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


_KILLED = """
import os, signal, sys, tempfile
from clawgw.web.count_files import CountFiles, count_folder
tempfile.tempdir = sys.argv[1]
with count_folder() as folder:
    CountFiles(folder, "counts").new(64)
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_a_folder_goes_in_the_end_and_the_next_start_removes_that_of_whoever_was_killed(temporary: Path) -> None:
    killed = subprocess.run([sys.executable, "-c", _KILLED, temporary], check=False)  # noqa: S603 - our own code
    assert killed.returncode == -signal.SIGKILL
    (left,) = temporary.iterdir()
    assert sorted(path.name.partition("-")[0] for path in left.iterdir()) == ["counts", "readers.lock"]
    with count_folder() as first:
        assert first.stat().st_mode & 0o777 == 0o700
        with count_folder() as second:
            CountFiles(second, "counts").new(64)
            assert {*temporary.iterdir()} == {first, second}
        assert {*temporary.iterdir()} == {first}
    assert [*temporary.iterdir()] == []


def test_what_belongs_to_somebody_else_or_is_no_folder_stays(temporary: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (temporary / "clawgw-counts-file").touch()
    (temporary / "clawgw-counts-link").symlink_to(temporary / "elsewhere")
    (temporary / "elsewhere").mkdir()
    with count_folder():
        pass
    assert len([*temporary.iterdir()]) == 3
    (temporary / "clawgw-counts-theirs").mkdir()
    monkeypatch.setattr(os, "geteuid", lambda: 4321)
    with count_folder():
        pass
    assert (temporary / "clawgw-counts-theirs").is_dir()
