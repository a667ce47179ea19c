"""One sink at work, in a thread of its own: it follows every writer, and nothing it waits for holds up another."""

import logging
import threading
import traceback
from collections.abc import Callable, Sequence

from attrs import define, field

from clawgw.ledger.document import Document
from clawgw.ledger.journal.spool import Spool, WriterFolder
from clawgw.ledger.sinks.cursor import Cursor
from clawgw.ledger.sinks.sink import Rejected, Sink, SinkAway
from clawgw.ledger.sinks.tail import next_batch

log = logging.getLogger("clawgw")

KeepDeadLetters = Callable[[str, Sequence[Rejected]], None]
"""Called with a sink's name and what it has rejected, in the sink's thread. May raise `SinkAway`."""

_LOOK_EVERY_S = 0.1
_FIRST_WAIT_S = 0.1
_LONGEST_WAIT_S = 5.0


@define(eq=False)
class Follower:
    """`stop` ends it: at once where the sink is away, else when there is nothing left to deliver."""

    sink: Sink
    spool: Spool
    keep_dead_letters: KeepDeadLetters
    stop: threading.Event
    _cursors: dict[str, Cursor] = field(init=False, factory=dict)
    """By folder's name."""

    def run(self) -> None:
        """Until stopped."""
        stopping = False
        while not stopping:
            stopping = self.stop.is_set()
            while self._round():
                pass
            self.stop.wait(_LOOK_EVERY_S)
        self.sink.close()

    def cursor(self, folder: WriterFolder) -> Cursor:
        """Where it is with a writer. In any thread."""
        known = self._cursors.get(folder.path.name)
        return known or self._cursors.setdefault(folder.path.name, Cursor.load(folder, self.sink.name))

    def forget(self, folder: WriterFolder) -> None:
        """The folder is gone. In any thread."""
        self._cursors.pop(folder.path.name, None)

    def _round(self) -> bool:
        """A batch of each writer; whether there was any."""
        return any([self._follow(folder) for folder in self.spool.writers()])  # noqa: C419 - each gets its turn

    def _follow(self, folder: WriterFolder) -> bool:
        try:
            batch = next_batch(folder, self.cursor(folder))
        except FileNotFoundError:  # all of it was delivered, and it is gone
            self.forget(folder)
            return False
        if batch is None or not self._delivered(batch.documents):
            return False
        self._cursors[folder.path.name] = batch.cursor
        try:
            batch.cursor.save(folder, self.sink.name)
        except OSError as error:
            log.warning("%s: a cursor cannot be saved: %s", self.sink.name, error)
        return True

    def _delivered(self, documents: Sequence[Document]) -> bool:
        """Whether they are, however long it takes; False: told to stop before."""
        wait_s = _FIRST_WAIT_S
        while documents:
            try:
                self._deliver(documents)
                break
            except SinkAway as away:
                log.warning("%s is away, trying again in %g s: %s", self.sink.name, wait_s, away.reason)
            except Exception as error:  # noqa: BLE001 - whatever it is, nothing may be missing in the end
                where = "".join(traceback.format_tb(error.__traceback__))  # its text may quote a record or a password
                log.error("%s failed, trying again in %g s: %s\n%s", self.sink.name, wait_s, type(error), where)  # noqa: TRY400 - as said
            if self.stop.wait(wait_s):
                return False
            wait_s = min(2 * wait_s, _LONGEST_WAIT_S)
        return True

    def _deliver(self, documents: Sequence[Document]) -> None:
        rejected = self.sink.deliver(documents)
        if rejected:
            log.error("%s rejects %d records: %s", self.sink.name, len(rejected), rejected[0].reason)
            self.keep_dead_letters(self.sink.name, rejected)
