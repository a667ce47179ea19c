"""Numbers that a process adds to, and which outlast it, however it ends.

A series lies in a region of memory (`web.region`), which is a mapped file where there are several processes: to count
is to store eight bytes, and whoever shows the counts reads the files of all (`web.count_files`).
"""

import logging
from collections.abc import Iterator, Sequence
from mmap import mmap

from attrs import define, field

from clawgw.web.count_files import CountFiles
from clawgw.web.region import Cells, Series, begin, series_in, size_of

log = logging.getLogger("clawgw")

REGION_BYTES = 64 * 1024


@define(eq=False)
class Tally:
    """What this process counts. `files`: those of all processes; None: there is one, and its memory will do."""

    files: CountFiles | None = None
    _regions: list[mmap] = field(init=False, factory=list)
    _used: int = field(init=False, default=0)
    """Bytes of the last region."""

    def take(self, name: bytes, count: int) -> Cells:
        """A new series of `count` numbers, all 0, for as long as the process lasts.

        Where there is no room for another file it is counted in memory, and shown by nobody: no request fails for it.
        """
        size = size_of(name, count)
        if not self._regions or self._used + size > len(self._regions[-1]):
            self._regions.append(self._new_region(max(REGION_BYTES, size)))
            self._used = 0
        cells = begin(self._regions[-1], self._used, name, count)
        self._used += size
        return cells

    def series(self) -> Iterator[Series]:
        """The names and numbers of all processes. In any thread. Raises OSError."""
        regions: Sequence[mmap | bytes] = self._regions if self.files is None else self.files.read()
        for region in regions:
            yield from series_in(region)

    def _new_region(self, size: int) -> mmap:
        if self.files is not None:
            try:
                return self.files.new(size)
            except OSError as error:
                log.warning("metrics: some counts are not shown, for want of a file: %s", error)
        return mmap(-1, size)
