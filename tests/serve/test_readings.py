import errno
import json
from pathlib import Path

import pytest

from clawgw.serve.readings import Readings


def test_a_file_is_read_once(tmp_path: Path) -> None:
    file, readings = tmp_path / "a", Readings()
    file.write_bytes(b"old\xff")
    assert readings.read(file) == b"old\xff"
    file.write_bytes(b"new")
    assert readings.read(file) == b"old\xff"
    assert Readings().read(file) == b"new"


def test_what_cannot_be_read_stays_so(tmp_path: Path) -> None:
    file, readings = tmp_path / "a", Readings()
    for _ in range(2):
        with pytest.raises(FileNotFoundError, match="No such file or directory") as caught:
            readings.read(file)
        assert (caught.value.errno, caught.value.filename) == (errno.ENOENT, str(file))
        file.write_bytes(b"there now")
    with pytest.raises(IsADirectoryError):
        readings.read(tmp_path)


def test_in_another_process_they_are_the_same_wherever_the_files_are_gone(tmp_path: Path) -> None:
    file, readings = tmp_path / "a", Readings()
    file.write_bytes(bytes(range(256)))
    readings.read(file)
    with pytest.raises(FileNotFoundError):
        readings.read(tmp_path / "missing")
    file.unlink()
    again = Readings.of_json(json.loads(json.dumps(readings.as_json())))
    assert again == readings
    assert again.read(file) == bytes(range(256))
    with pytest.raises(FileNotFoundError):
        again.read(tmp_path / "missing")


def test_what_has_changed(tmp_path: Path) -> None:
    same, other, gone, new, unseen = (tmp_path / name for name in ("same", "other", "gone", "new", "unseen"))
    readings = Readings()
    for file in (same, other, gone):
        file.write_bytes(b"old")
        readings.read(file)
    with pytest.raises(FileNotFoundError):
        readings.read(new)
    assert readings.changed() == []
    for file in (other, new, unseen):
        file.write_bytes(b"new")
    gone.unlink()
    same.write_bytes(b"old")
    assert readings.changed() == [str(other), str(gone), str(new)]


def test_what_is_gone(tmp_path: Path) -> None:
    kept, gone, unasked, never = (tmp_path / name for name in ("kept", "gone", "unasked", "never"))
    earlier, later = Readings(), Readings()
    for file in (kept, gone, unasked):
        file.write_bytes(b"old")
        earlier.read(file)
    gone.unlink()
    unasked.unlink()
    later.read(kept)
    for missing, readings in ((gone, later), (never, earlier), (never, later)):
        with pytest.raises(FileNotFoundError):
            readings.read(missing)
    assert later.gone_since(earlier) == [str(gone)]
    assert earlier.gone_since(later) == []


def test_they_show_no_secret(tmp_path: Path) -> None:
    (tmp_path / "key").write_bytes(b"sk-secret")
    readings = Readings()
    readings.read(tmp_path / "key")
    assert "sk-secret" not in repr(readings)
