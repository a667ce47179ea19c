"""Software to measure with, put into folders of its own by the ordinary package managers, once."""

import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

from benchmarks.peers.compiled import Unavailable

LIMIT_S = 600
DONE = ".installed"
"""Lies in a folder where everything went well."""


def installed(folder: Path, commands: Sequence[Sequence[str]]) -> None:
    """Run the commands, which fill the folder, unless they have done so before. Raises `Unavailable`."""
    if (folder / DONE).exists():
        return
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for command in commands:
        _run(command)
    (folder / DONE).touch()


def _run(command: Sequence[str]) -> None:
    try:
        done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=LIMIT_S)  # noqa: S603 - ours
    except subprocess.TimeoutExpired as late:
        raise Unavailable(f"`{' '.join(command)}` takes more than {LIMIT_S} s") from late
    if done.returncode:
        raise Unavailable(f"`{' '.join(command)}` failed:\n{done.stderr[-1000:]}")
