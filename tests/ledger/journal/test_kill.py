"""Writers that are killed at any moment, while what they write is drained by a process that is killed as well."""

import multiprocessing
import random
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path

from clawgw.ledger.journal.journal import Journal
from clawgw.ledger.journal.spool import Spool
from clawgw.ledger.sinks.drain import Drain
from tests.ledger.records import begun, ended, outcomes, rows

ROUNDS = 50
forkserver = multiprocessing.get_context("forkserver")
forkserver.set_forkserver_preload([__name__])


def write(spool: Path, name: str, said: Connection) -> None:
    """Write to a journal until killed; says each id that has ended."""
    journal = Journal.open(spool, 2**30)
    number = 0
    while True:
        ids = [f"{name}-{number + offset}" for offset in range(5)]
        number += len(ids)
        for request_id in ids:
            journal.intend(begun(request_id))
        for request_id in reversed(ids):
            journal.request_ended(ended(request_id, model="m" * (number % 500)))
            said.send(request_id)


def drain(spool: Path, database: Path) -> None:
    Drain(Spool(spool), database, 36500).run()


@contextmanager
def running(work: Callable[..., None], *arguments: object) -> Iterator[BaseProcess]:
    """A process that is killed in the end at the latest."""
    process = forkserver.Process(target=work, args=arguments)
    process.start()
    try:
        yield process
    finally:
        process.kill()
        process.join()
        process.close()


def killed_writer(spool: Path, name: str, after: int) -> list[str]:
    """What it has said before it was killed; it is killed soon after so many words."""
    said = list[str]()
    here, there = forkserver.Pipe(duplex=False)
    with here, running(write, spool, name, there) as writer, suppress(EOFError):
        there.close()
        while True:
            said.append(here.recv())
            if len(said) == after:
                writer.kill()
    return said


def test_every_record_that_was_acknowledged_is_there_once(tmp_path: Path) -> None:
    spool, database = tmp_path / "spool", tmp_path / "clawgw.db"
    dice, over = random.Random(7), threading.Event()  # noqa: S311 - when to kill

    def keep_draining() -> None:
        while not over.is_set():
            with running(drain, spool, database):
                over.wait(0.5 * dice.random())

    draining = threading.Thread(target=keep_draining)
    draining.start()
    said = [each for number in range(ROUNDS) for each in killed_writer(spool, f"w{number}", dice.randrange(1, 400))]
    over.set()
    draining.join()
    last = Drain(Spool(spool), database, 36500)
    last.stop()
    last.run()
    logged = outcomes(database)
    assert len(said) > ROUNDS
    assert {request_id: logged.get(request_id) for request_id in said} == dict.fromkeys(said, "ok")
    assert rows(database, "SELECT count(*) - count(DISTINCT request_id) FROM requests") == [(0,)]
    assert [*Spool(spool).writers()] == []
