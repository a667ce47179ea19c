"""A process that writes to a journal until it is killed: `writer.py SPOOL NAME`. It prints each id that has ended."""

import sys
from pathlib import Path

from clawgw.ledger.journal.journal import Journal
from tests.ledger.records import begun, ended


def main(spool: Path, name: str) -> None:
    journal = Journal.open(spool, 2**30)
    number = 0
    while True:
        ids = [f"{name}-{number + offset}" for offset in range(5)]
        number += len(ids)
        for request_id in ids:
            journal.intend(begun(request_id))
        for request_id in reversed(ids):
            journal.request_ended(ended(request_id, model="m" * (number % 500)))
            sys.stdout.write(request_id + "\n")
            sys.stdout.flush()


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
