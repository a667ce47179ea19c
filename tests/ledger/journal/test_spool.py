import os
from pathlib import Path

import pytest

from clawgw.ledger.journal.spool import Spool


def test_a_spool_that_is_not_there_is_empty(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "none")
    assert [*spool.writers()] == []
    assert spool.bytes() == 0


def test_a_writer_lives_as_long_as_its_lock(tmp_path: Path) -> None:
    folder, lock = Spool(tmp_path).enter()
    other, other_lock = Spool(tmp_path).enter()
    assert {each.path for each in Spool(tmp_path).writers()} == {folder.path, other.path}
    assert folder.alive()
    os.close(lock)
    assert not folder.alive()
    assert other.alive()
    os.close(other_lock)


def test_segments_are_counted_in_numbers(tmp_path: Path) -> None:
    folder, lock = Spool(tmp_path).enter()
    for number in (100_000_000, 2, 99_999_999):
        folder.segment(number).write_bytes(b"x" * 10)
    folder.unfinished(3).write_bytes(b"xxx")
    assert folder.segments() == [2, 99_999_999, 100_000_000]
    assert Spool(tmp_path).bytes() == 33
    folder.remove()
    os.close(lock)
    assert [*Spool(tmp_path).writers()] == []


def test_what_goes_while_it_is_looked_at_is_gone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    gone, lock = Spool(tmp_path).enter()
    gone.remove()
    os.close(lock)
    left, lock = Spool(tmp_path).enter()
    left.segment(2).write_bytes(b"xx")
    left.segment(1).symlink_to(tmp_path / "nowhere")
    monkeypatch.setattr(Spool, "writers", lambda _: [gone, left])
    assert Spool(tmp_path).bytes() == 2
    assert not gone.alive()
    os.close(lock)
