"""How many records some store still lacks: what the living have written, and what the dead have left behind."""

from collections.abc import Iterator, Sequence
from contextlib import suppress

from attrs import define, field

from clawgw.ledger.journal.frame import Kind
from clawgw.ledger.journal.segment import read_page
from clawgw.ledger.journal.spool import Spool, WriterFolder
from clawgw.ledger.sinks.cursor import Cursor


@define
class Backlog:
    """As one living writer sees it. Of all of them, the first one answers for the dead."""

    spool: Spool
    own: WriterFolder
    sinks: Sequence[str]
    """The names of those that follow every writer."""
    _dead: dict[str, int] = field(init=False, factory=dict)
    """How many records each has written, by folder's name: they do not change any more."""

    def rows(self, written: int) -> int:
        """How many there are, after it has itself written so many. Reads files."""
        return written - self._passed(self.own).rows + sum(self._left())

    def _left(self) -> Iterator[int]:
        others = [folder for folder in self.spool.writers() if folder != self.own]
        living = [folder for folder in others if folder.alive()]
        if all(self.own.path < folder.path for folder in living):
            for folder in others:
                if folder not in living:
                    yield self._left_by(folder)

    def _left_by(self, folder: WriterFolder) -> int:
        passed = self._passed(folder)
        name = folder.path.name
        with suppress(FileNotFoundError):  # all of it was delivered, and it is gone
            if name not in self._dead:
                self._dead[name] = passed.rows + _records_after(folder, passed)
            return self._dead[name] - passed.rows
        return 0

    def _passed(self, folder: WriterFolder) -> Cursor:
        return min(Cursor.load(folder, sink) for sink in self.sinks)


def _records_after(folder: WriterFolder, cursor: Cursor) -> int:
    """Final records that a dead writer has left there. Raises FileNotFoundError."""
    count = 0
    for number in folder.segments():
        if number >= cursor.segment:
            at, whole = cursor.offset if number == cursor.segment else 0, False
            while not whole:
                page = read_page(folder.segment(number), at, sealed=True)
                count += sum(frame.kind is Kind.FINAL for frame in page.frames)
                at, whole = page.end, page.whole
    return count
