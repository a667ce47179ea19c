"""Writers that are killed at any moment, while what they write is drained by a process that is killed as well."""

import random
import subprocess
import sys
import threading
from pathlib import Path

from clawgw.ledger.journal.spool import Spool
from clawgw.ledger.sinks.drain import Drain
from tests.ledger.records import outcomes, rows

ROOT = Path(__file__).resolve().parents[3]
ROUNDS = 50
DRAIN = """
import sys
from pathlib import Path
from clawgw.ledger.journal.spool import Spool
from clawgw.ledger.sinks.drain import Drain
Drain(Spool(Path(sys.argv[1])), Path(sys.argv[2]), 36500).run()
"""


def started(*arguments: object, output: int | None = None) -> "subprocess.Popen[str]":
    command = [sys.executable, *map(str, arguments)]
    return subprocess.Popen(command, cwd=ROOT, env={"PYTHONPATH": str(ROOT)}, stdout=output, text=True)  # noqa: S603 - our own code


def killed_writer(spool: Path, name: str, after: int) -> list[str]:
    """What it has said before it was killed; it is killed soon after so many lines."""
    said = list[str]()
    with started("-m", "tests.ledger.journal.writer", spool, name, output=subprocess.PIPE) as writer:
        assert writer.stdout is not None
        for line in writer.stdout:
            said.append(line.strip())
            if len(said) == after:
                writer.kill()
    return said


def test_every_record_that_was_acknowledged_is_there_once(tmp_path: Path) -> None:
    spool, database = tmp_path / "spool", tmp_path / "clawgw.db"
    dice, over = random.Random(7), threading.Event()  # noqa: S311 - when to kill

    def keep_draining() -> None:
        while not over.is_set():
            with started("-c", DRAIN, spool, database) as drain:
                over.wait(0.5 + dice.random())
                drain.kill()

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
