from pathlib import Path

import pytest

from clawgw.ledger.journal.spool import WriterFolder
from clawgw.ledger.sinks.cursor import Cursor


def test_a_cursor_is_loaded_as_it_was_saved_each_sinks_its_own(tmp_path: Path) -> None:
    folder = WriterFolder(tmp_path)
    Cursor(1, 2, 3).save(folder, "sqlite")
    Cursor(4, 5, 6).save(folder, "sqlite")
    assert Cursor.load(folder, "sqlite") == Cursor(4, 5, 6)
    assert Cursor.load(folder, "mongo") == Cursor(0, 0, 0)


@pytest.mark.parametrize("text", ["", "{", "[]", '{"segment": 1}x', '{"other": 1}', "\0" * 20])
def test_one_that_cannot_be_read_is_the_beginning(tmp_path: Path, text: str) -> None:
    (tmp_path / "sqlite.cursor").write_text(text)
    assert Cursor.load(WriterFolder(tmp_path), "sqlite") == Cursor(0, 0, 0)
