"""Numbers that a process adds to, and which outlast it, however it ends.

A series is a name and some numbers. It lies in a region of memory, which is a mapped file where there are several
processes: to count is to store eight bytes, and whoever shows the counts reads the files of all. A region is one series
after the other, in the machine's byte order, each part of it padded to eight bytes; the first that has no numbers is
the end:

    4 bytes  the name's length
    4 bytes  how many numbers follow the name
    the name, and the numbers, doubles
"""

import logging
import os
import struct
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import suppress
from mmap import mmap
from pathlib import Path
from typing import TypeAlias

from attrs import define, field

log = logging.getLogger("clawgw")

_SIZES = struct.Struct("=II")
_WORD = 8
REGION_BYTES = 64 * 1024

Cells: TypeAlias = "memoryview[float]"
"""The numbers of a series: what is stored there is counted."""


@define(eq=False)
class Tally:
    """What this process counts; `kind` tells its files from those of another tally.

    `folder` is where the files of all processes are; None: there is one process, and its memory will do.
    """

    kind: str
    folder: Path | None = None
    _regions: list[mmap] = field(init=False, factory=list)
    _used: int = field(init=False, default=0)
    """Bytes of the last region."""

    def take(self, name: bytes, count: int) -> Cells:
        """A new series of `count` numbers, all 0, for as long as the process lasts.

        Where there is no room for another file it is counted in memory, and shown by nobody: no request fails for it.
        """
        start = _SIZES.size + _padded(len(name))
        end = start + count * _WORD
        if not self._regions or self._used + end > len(self._regions[-1]):
            self._regions.append(self._new_region(max(REGION_BYTES, end)))
            self._used = 0
        region, at = self._regions[-1], self._used
        region[at + _SIZES.size : at + _SIZES.size + len(name)] = name
        region[at : at + _SIZES.size] = _SIZES.pack(len(name), count)  # last, and at once: others may be reading
        self._used += end
        return memoryview(region)[at + start : at + end].cast("d")

    def series(self) -> Iterator[tuple[bytes, Sequence[float]]]:
        """The names and numbers of all processes. In any thread. Raises OSError."""
        for memory in self._memories():
            yield from _series_in(memory)

    def _memories(self) -> Iterator[mmap | bytes]:
        if self.folder is None:
            yield from self._regions
            return
        for path in sorted(self.folder.glob(f"{self.kind}-*")):
            with suppress(FileNotFoundError):  # its process has just been forgotten
                yield path.read_bytes()

    def _new_region(self, size: int) -> mmap:
        if self.folder is None:
            return mmap(-1, size)
        try:
            return self._new_file(self.folder, size)
        except OSError as error:
            log.warning("metrics: some counts are not shown, for want of a file: %s", error)
            return mmap(-1, size)

    def _new_file(self, folder: Path, size: int) -> mmap:
        fd, path = tempfile.mkstemp(prefix=f"{self.kind}-{os.getpid()}-", dir=folder)
        try:
            os.posix_fallocate(fd, 0, size)
            return mmap(fd, size)
        except OSError:
            Path(path).unlink()
            raise
        finally:
            os.close(fd)


def forget(folder: Path, kind: str, pid: int) -> None:
    """What a process has counted in the tally of a kind counts no more."""
    for path in folder.glob(f"{kind}-{pid}-*"):
        path.unlink()


def _series_in(memory: mmap | bytes) -> Iterator[tuple[bytes, Sequence[float]]]:
    at = 0
    while at < len(memory):
        length, count = _SIZES.unpack_from(memory, at)
        if not count:
            break
        start = at + _SIZES.size
        numbers = start + _padded(length)
        yield memory[start : start + length], struct.unpack_from(f"={count}d", memory, numbers)
        at = numbers + count * _WORD


def _padded(size: int) -> int:
    return -(-size // _WORD) * _WORD
