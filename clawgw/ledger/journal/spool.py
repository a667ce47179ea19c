"""The folder `log.spool`: a folder for each process that writes, which holds its segments and the sinks' cursors.

    clawgw.spool/
        w-6f1c…/              locked by the writing process (flock) for as long as it lives
            00000001.segment
            sqlite.cursor     how far a sink has got

A writer is known by its lock alone: one that was killed cannot say goodbye.
"""

import fcntl
import os
import secrets
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path

from attrs import frozen

from clawgw.locks import is_locked

_SEGMENT = ".segment"
_READY = "w-"
_UNREADY = "new-"


@frozen
class WriterFolder:
    """What one process writes, or has written."""

    path: Path

    def alive(self) -> bool:
        """Whether its writer may write more. Once False, always False."""
        return is_locked(self.path)

    def segments(self) -> Sequence[int]:
        """Their numbers, ascending."""
        names = (name for name in os.listdir(self.path) if name.endswith(_SEGMENT))  # noqa: PTH208 - only names
        return sorted(int(name.removesuffix(_SEGMENT)) for name in names)

    def segment(self, number: int) -> Path:
        """Where it is."""
        return self.path / f"{number:08}{_SEGMENT}"

    def sizes(self) -> Iterator[int]:
        """Of all its files, in bytes. They, and it, go whenever they have been read."""
        with suppress(FileNotFoundError):
            for file in os.scandir(self.path):
                with suppress(FileNotFoundError):
                    yield file.stat().st_size

    def unfinished(self, number: int) -> Path:
        """Where a segment is made, before it is put in its place."""
        return self.path / f"{number:08}.new"

    def remove(self) -> None:
        """All of it. Others may be at it."""
        for path in self.path.iterdir():
            path.unlink(missing_ok=True)
        self.path.rmdir()


@frozen
class Spool:
    """The whole."""

    path: Path

    def writers(self) -> Iterator[WriterFolder]:
        """The living and the dead."""
        with suppress(FileNotFoundError):
            for path in sorted(self.path.glob(f"{_READY}*")):
                yield WriterFolder(path)

    def bytes(self) -> int:
        """What is taken, what was only set aside included."""
        return sum(size for folder in self.writers() for size in folder.sizes())

    def enter(self) -> tuple[WriterFolder, int]:
        """A new writer's folder, and the descriptor that locks it until it is closed. Raises OSError."""
        name = secrets.token_hex(8)
        unready = self.path / f"{_UNREADY}{name}"
        unready.mkdir(parents=True, mode=0o700)
        lock = os.open(unready, os.O_RDONLY)
        fcntl.flock(lock, fcntl.LOCK_EX)
        ready = unready.rename(self.path / f"{_READY}{name}")  # only now can it be found, and it is locked
        for changed in (self.path, self.path.parent):
            _sync(changed)
        return WriterFolder(ready), lock


def _sync(folder: Path) -> None:
    """Let the names in it outlast a power cut."""
    fd = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
