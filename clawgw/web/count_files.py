"""The files in which several processes count, in a folder that they share.

A file is locked by its process, and the folder by the one that has made it, each for as long as they live: the next to
come tidies up for whoever was killed.
"""

import fcntl
import os
import shutil
import stat
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from mmap import mmap
from operator import add
from pathlib import Path

from attrs import frozen

from clawgw.locks import is_locked, try_lock
from clawgw.web.region import region_of, series_in

_UNREADY, _READY = "clawgw-new-", "clawgw-counts-"
_READERS = "readers.lock"
"""Who reads the files of all shares its lock; who makes one file of several has it alone."""


@contextmanager
def count_folder() -> Iterator[Path]:
    """A new folder among the temporary files, for as long as it is needed; those of owners that are gone go."""
    unready = Path(tempfile.mkdtemp(prefix=_UNREADY))
    lock = os.open(unready, os.O_RDONLY)
    fcntl.flock(lock, fcntl.LOCK_EX)
    (unready / _READERS).touch(0o600)
    folder = unready.rename(unready.with_name(unready.name.replace(_UNREADY, _READY)))  # only now can it be found
    _remove_abandoned(folder.parent)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        os.close(lock)


def _remove_abandoned(parent: Path) -> None:
    for path in parent.glob(f"{_READY}*"):
        with suppress(OSError):  # it goes just now
            found = path.lstat()
            if stat.S_ISDIR(found.st_mode) and found.st_uid == os.geteuid() and not is_locked(path):
                shutil.rmtree(path)


@frozen
class CountFiles:
    """Those of one kind of numbers."""

    folder: Path
    kind: str

    def new(self, size: int) -> mmap:
        """Another one of this process, all 0; its room is set aside. Raises OSError."""
        descriptor, name = tempfile.mkstemp(prefix=f"new-{self.kind}-{os.getpid()}-", dir=self.folder)
        unready = Path(name)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            os.posix_fallocate(descriptor, 0, size)
            region = mmap(descriptor, size)  # has a descriptor of its own, and with it the lock
            unready.rename(self.folder / unready.name.removeprefix("new-"))
        except OSError:
            unready.unlink()
            raise
        finally:
            os.close(descriptor)
        return region

    def read(self) -> Sequence[bytes]:
        """What is in all of them. Raises OSError."""
        regions = []
        with self._readers() as lock:
            fcntl.flock(lock, fcntl.LOCK_SH)
            for path in self._paths():
                with suppress(FileNotFoundError):  # its process has just been forgotten
                    regions.append(path.read_bytes())
        return regions

    def forget(self, pid: int) -> None:
        """Remove those of a process that has ended."""
        for path in self.folder.glob(f"{self.kind}-{pid}-*"):
            path.unlink()

    def fold(self) -> None:
        """Make one file of those of all processes that have ended: number by number the sum.

        Where somebody is reading just now, the next call will do it. Raises OSError, and then all is as before.
        """
        ended = [path for path in self._paths() if not is_locked(path)]
        whole = self.folder / f"{self.kind}-ended"
        with self._readers() as lock:
            if len(ended) > 1 and try_lock(lock):
                unready = self.folder / f"new-{self.kind}"
                unready.write_bytes(region_of(_sums(ended).items()))
                unready.replace(whole)
                for path in {*ended} - {whole}:
                    path.unlink()

    @contextmanager
    def _readers(self) -> Iterator[int]:
        lock = os.open(self.folder / _READERS, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            yield lock
        finally:
            os.close(lock)

    def _paths(self) -> Sequence[Path]:
        return sorted(self.folder.glob(f"{self.kind}-*"))


def _sums(paths: Sequence[Path]) -> Mapping[bytes, Sequence[float]]:
    sums = dict[bytes, Sequence[float]]()
    for path in paths:
        for name, numbers in series_in(path.read_bytes()):
            sums[name] = [*map(add, sums[name], numbers)] if name in sums else numbers
    return sums
