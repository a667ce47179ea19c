import os
from pathlib import Path

from clawgw.locks import is_locked, try_lock


def test_one_at_a_time_has_a_lock_until_it_is_closed(tmp_path: Path) -> None:
    first, second = (os.open(tmp_path, os.O_RDONLY) for _ in range(2))
    assert not is_locked(tmp_path)
    assert try_lock(first)
    assert not try_lock(second)
    assert is_locked(tmp_path)
    os.close(first)
    assert not is_locked(tmp_path)
    assert try_lock(second)
    os.close(second)


def test_what_is_not_there_is_not_locked(tmp_path: Path) -> None:
    assert not is_locked(tmp_path / "none")
