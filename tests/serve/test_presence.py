"""Two presences in one process stand for two processes: flock tells open files apart, not processes."""

import errno
import fcntl
import os
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from clawgw.config.mistakes import Mistake
from clawgw.serve.presence import PID_FILE, WORD_FILE, Presence, Word, find, heard

START = Word(1.5, ok=True, version="v1")
FAILED = Word(2.5, ok=False, version="v1", mistakes=(Mistake("a.b", "no good"),))


@pytest.fixture
def presence(tmp_path: Path) -> Iterator[Presence]:
    present = Presence(tmp_path)
    yield present
    present.leave()


def test_from_announced_to_left(presence: Presence, tmp_path: Path) -> None:
    assert (find(tmp_path), heard(tmp_path)) == (None, None)
    presence.announce(START)
    assert (find(tmp_path), heard(tmp_path)) == (os.getpid(), START)
    presence.publish(FAILED)
    assert heard(tmp_path) == FAILED
    assert sorted(file.name for file in tmp_path.iterdir()) == [PID_FILE, WORD_FILE]
    presence.leave()
    assert list(tmp_path.iterdir()) == []
    presence.leave()


def test_only_its_owner_can_read_the_files(presence: Presence, tmp_path: Path) -> None:
    presence.announce(START)
    assert {stat.S_IMODE(file.stat().st_mode) for file in tmp_path.iterdir()} == {0o600}


def test_a_number_that_nobody_holds_is_not_believed(presence: Presence, tmp_path: Path) -> None:
    """Whoever was there was killed; its number may be anybody's by now."""
    (tmp_path / PID_FILE).write_text(f"{os.getppid()}\nand something longer than a number")
    assert find(tmp_path) is None
    presence.announce(START)
    assert find(tmp_path) == os.getpid()
    assert (tmp_path / PID_FILE).read_text() == f"{os.getpid()}\n"


def test_while_a_number_is_being_written_there_is_none(tmp_path: Path) -> None:
    with (tmp_path / PID_FILE).open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        assert find(tmp_path) is None


def test_a_second_one_says_that_it_will_not_be_found(
    presence: Presence, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    presence.announce(START)
    second = Presence(tmp_path)
    second.announce(Word(9.5, ok=True, version="second"))
    assert "belongs to another running gateway" in caplog.text
    second.publish(FAILED)
    assert heard(tmp_path) == START
    second.leave()
    assert find(tmp_path) == os.getpid()


def test_the_end_of_a_process_is_seen_at_once(tmp_path: Path) -> None:
    script = f"""
import sys
from pathlib import Path
from clawgw.serve.presence import Presence, Word
Presence(Path({str(tmp_path)!r})).announce(Word(1.5, ok=True, version="v1"))
print("announced", flush=True)
sys.stdin.read()
"""
    with subprocess.Popen([sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:  # noqa: S603 - the script above
        assert process.stdout is not None
        assert process.stdout.readline() == b"announced\n"
        assert find(tmp_path) == process.pid
        process.kill()
        process.wait()
        assert find(tmp_path) is None


def test_whose_file_cannot_be_read_is_not_said_to_be_absent(tmp_path: Path) -> None:
    (tmp_path / PID_FILE).mkdir()
    with pytest.raises(IsADirectoryError):
        find(tmp_path)


def test_a_folder_that_cannot_be_written(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    presence = Presence(tmp_path / "missing")
    presence.announce(START)
    assert f"{tmp_path}/missing/clawgw.pid: No such file or directory; `clawgw reload` will not find" in caplog.text
    presence.publish(FAILED)
    presence.leave()


def test_a_word_that_cannot_be_written(presence: Presence, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / WORD_FILE).mkdir()
    presence.announce(START)
    assert f"{WORD_FILE}: Is a directory" in caplog.text
    assert find(tmp_path) == os.getpid()


def test_a_link_is_not_followed(presence: Presence, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Whoever can write the folder could else have a file of the gateway's owner cut to nothing."""
    precious = tmp_path / "precious"
    precious.write_text("kept")
    (tmp_path / PID_FILE).symlink_to(precious)
    presence.announce(START)
    assert "will not find this process" in caplog.text
    assert precious.read_text() == "kept"


def test_who_has_just_left_takes_the_file_along(
    presence: Presence, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The file is opened, then its holder removes it and lets go: the lock on it is worth nothing."""
    first = Presence(tmp_path)
    first.announce(START)
    really = fcntl.flock

    def leaving(descriptor: int, operation: int) -> None:
        monkeypatch.setattr(fcntl, "flock", really)
        first.leave()
        really(descriptor, operation)

    monkeypatch.setattr(fcntl, "flock", leaving)
    presence.announce(START)
    assert find(tmp_path) == os.getpid()


def test_a_full_disk_is_no_reason_not_to_serve(
    presence: Presence, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    def full(*_: object) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "pwrite", full)
    presence.announce(START)
    assert f"{tmp_path / PID_FILE}: No space left on device; `clawgw reload` will not find" in caplog.text
    assert find(tmp_path) is None
