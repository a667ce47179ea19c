"""All sinks of one spool at work: a thread for each, one for what has grown old, and the tidying of the spool."""

import logging
import os
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from attrs import define, field

from clawgw.clock import now_ms
from clawgw.ledger.journal.spool import Spool
from clawgw.ledger.sinks.follower import Follower
from clawgw.ledger.sinks.sink import Rejected, Sink, SinkAway
from clawgw.ledger.sinks.sqlite import Database, SqliteSink, keep_dead_letters, prune
from clawgw.locks import try_lock

log = logging.getLogger("clawgw")

_LOCK = "drain.lock"
_TRY_EVERY_S = 0.2
_TIDY_EVERY_S = 0.5
_PRUNE_EVERY_S = 60.0
_BETWEEN_PRUNINGS_S = 0.05
_DAY_MS = 24 * 60 * 60 * 1000


@define(eq=False)
class Drain:
    """From a spool to SQLite and to `others`. Segments that all of them have passed are deleted."""

    spool: Spool
    path: Path
    retention_days: int
    others: Sequence[Sink] = ()
    _stop: threading.Event = field(init=False, factory=threading.Event)

    def run(self) -> None:
        """Until `stop`, and then until what is there has been delivered, but to a sink that is away.

        First waits for another process that does the same. Raises OSError, and RuntimeError where a thread has failed.
        """
        with self._alone() as go:
            if go:
                self._run()

    def stop(self) -> None:
        """In any thread."""
        self._stop.set()

    def _run(self) -> None:
        followers = [self._follower(sink) for sink in (SqliteSink(Database(self.path)), *self.others)]
        threads = [_started(follower.run) for follower in followers]
        pruning = _started(self._prune)
        running = threads
        while running:
            self._tidy(followers)
            running[0].join(_TIDY_EVERY_S)
            running = [thread for thread in running if thread.is_alive()]
            if len(running) < len(threads) and not self._stop.is_set():
                raise RuntimeError("a sink has failed")
        self._tidy(followers)
        pruning.join()

    def _tidy(self, followers: Sequence[Follower]) -> None:
        """What cannot be deleted now, because somebody is at it, can the next time."""
        try:
            tidy(self.spool, followers)
        except OSError as error:
            log.warning("the spool cannot be tidied: %s", error)

    def _follower(self, sink: Sink) -> Follower:
        database = Database(self.path)

        def keep(name: str, rejected: Sequence[Rejected]) -> None:
            keep_dead_letters(database, name, rejected, now_ms())

        return Follower(sink, self.spool, keep, self._stop)

    def _prune(self) -> None:
        database, wait_s = Database(self.path), _BETWEEN_PRUNINGS_S
        while not self._stop.wait(wait_s):
            try:
                more = prune(database, now_ms() - self.retention_days * _DAY_MS)
            except SinkAway as away:
                log.warning("old records cannot be deleted: %s", away.reason)
                more = False
            wait_s = _BETWEEN_PRUNINGS_S if more else _PRUNE_EVERY_S
        database.close()

    @contextmanager
    def _alone(self) -> Iterator[bool]:
        """Hold the lock that only one process can; False: told to stop before it could be had."""
        self.spool.path.mkdir(parents=True, exist_ok=True, mode=0o700)
        lock = os.open(self.spool.path / _LOCK, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            while not (locked := try_lock(lock)) and not self._stop.wait(_TRY_EVERY_S):
                pass
            yield locked
        finally:
            os.close(lock)


def tidy(spool: Spool, followers: Sequence[Follower]) -> None:
    """Delete what every one of them has passed. Raises OSError."""
    for folder in spool.writers():
        dead = not folder.alive()  # asked first: what a dead writer has written by now is all
        passed = min(follower.cursor(folder) for follower in followers).segment
        numbers = folder.segments()
        for number in numbers:
            if number < passed:
                folder.segment(number).unlink()
        if dead and all(number < passed for number in numbers):
            folder.remove()
            for follower in followers:
                follower.forget(folder)


def _started(work: Callable[[], None]) -> threading.Thread:
    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    return thread
