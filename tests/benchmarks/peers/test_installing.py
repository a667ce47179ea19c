import sys
from pathlib import Path

import pytest

from benchmarks.peers.compiled import Unavailable
from benchmarks.peers.installing import installing

NOTE = "import sys; open(sys.argv[1], 'a').write('x')"


def test_commands_run_once(tmp_path: Path) -> None:
    folder = tmp_path / "tool"
    for _ in range(2):
        with installing(folder) as run:
            run(sys.executable, "-c", NOTE, str(folder / "runs"))
    assert (folder / "runs").read_text() == "x"


def test_what_failed_is_told_and_begun_anew(tmp_path: Path) -> None:
    folder = tmp_path / "tool"

    def fail() -> None:
        with installing(folder) as run:
            (folder / "half").touch()
            run(sys.executable, "-c", "raise SystemExit('no such package')")

    with pytest.raises(Unavailable, match="no such package"):
        fail()
    with installing(folder):
        assert not (folder / "half").exists()
