"""Software to measure with, put into folders of its own by the ordinary package managers, once."""

import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.peers.compiled import Unavailable

LIMIT_S = 600
DONE = ".installed"
"""Lies in a folder where everything went well."""


@contextmanager
def installing(folder: Path) -> Iterator[Callable[..., None]]:
    """An empty folder, and what runs the commands that fill it; nothing is run where they have done so before.

    Raises `Unavailable`.
    """
    done = folder / DONE
    if done.exists():
        yield lambda *_command: None
        return
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    yield _run
    done.touch()


def install_python(folder: Path, package: str) -> None:
    """A package from the Python index, in an environment of its own. Raises `Unavailable`."""
    with installing(folder) as run:
        run(sys.executable, "-m", "venv", str(folder))
        run(str(folder / "bin" / "python"), "-m", "pip", "install", "-q", package)


def _run(*command: str) -> None:
    try:
        done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=LIMIT_S)  # noqa: S603 - ours
    except subprocess.TimeoutExpired as late:
        raise Unavailable(f"`{' '.join(command)}` takes more than {LIMIT_S} s") from late
    if done.returncode:
        raise Unavailable(f"`{' '.join(command)}` failed:\n{done.stderr[-1000:]}")
