"""Records at a steady rate, through the journal to SQLite: does the process of the sinks keep up?

    python -m benchmarks.ledger [--seconds S] [--per-second N] [--core C]

`--core` leaves that process no other core. Prints every ten seconds how many records wait, how old the first of them is
about and was at most, what that process takes of one core, what it has the disk write, and its memory. Ends with 1
where more waits in the end than comes in two seconds.
"""

import argparse
import multiprocessing
import os
import random
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from attrs import evolve

from benchmarks.journal import ENDED, opening_of
from benchmarks.usage import TARGETS
from clawgw.ledger.journal.journal import Journal
from clawgw.ledger.journal.spool import Spool
from clawgw.ledger.record import RequestRecord
from clawgw.ledger.sinks.backlog import Backlog
from clawgw.ledger.sinks.drain import Drain

SECONDS = 30.0
PER_S = 5000.0
REPORT_EVERY_S = 10.0
TICK_S = 0.01
RETENTION_DAYS = 30
SPOOL_BYTES = 2**30
_TICKS_PER_S = os.sysconf("SC_CLK_TCK")
_PAGE = os.sysconf("SC_PAGE_SIZE")


def drain(spool: Path, database: Path, core: int | None) -> None:
    """The process of the sinks, until it is ended."""
    if core is not None:
        os.sched_setaffinity(0, {core})
    Drain(Spool(spool), database, RETENTION_DAYS).run()


def records() -> Iterator[RequestRecord]:
    """Of 20 keys, 10 targets, 1000 users and 30 features."""
    dice = random.Random(1)  # noqa: S311 - the same data every time
    number = 0
    while True:
        number += 1
        key, (provider, model) = dice.randrange(20), dice.choice(TARGETS)
        yield evolve(
            ENDED,
            request_id=f"req_{number:026}",
            at_ms=time.time_ns() // 1_000_000,
            key=f"key-{key}",
            labels={"team": f"team-{key % 4}"},
            user=f"user-{key}-{dice.randrange(50)}",
            metadata={"feature": f"feature-{dice.randrange(30)}"},
            provider=provider,
            model=model,
            duration_ms=dice.lognormvariate(6.5, 0.9),
            first_token_ms=dice.lognormvariate(5.0, 0.9),
        )


def feed(journal: Journal, made: Iterator[RequestRecord], count: int) -> None:
    """Write so many requests, as the gateway does."""
    for _, ended in zip(range(count), made, strict=False):
        journal.intend(opening_of(ended))
        journal.request_ended(ended)


def processor_s(pid: int) -> float:
    """What a process has taken of the processor."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS_PER_S


def memory_mib(pid: int) -> float:
    """What it holds of the machine's memory that is its own (resident without shared)."""
    _, resident, shared, *_ = Path(f"/proc/{pid}/statm").read_text().split()
    return (int(resident) - int(shared)) * _PAGE / 2**20


def written_mb(pid: int) -> float:
    """What it has had the disk write."""
    fields = dict(line.split(": ") for line in Path(f"/proc/{pid}/io").read_text().splitlines())
    return int(fields["write_bytes"]) / 1e6


def run(folder: Path, sinks: int, seconds: float, per_s: float) -> bool:
    """Feed and report; whether the sinks keep up."""
    journal, made = Journal.open(folder / "spool", SPOOL_BYTES), records()
    backlog = Backlog(journal.spool, journal.folder, ["sqlite"])
    began = last = time.perf_counter()
    used, written, fed, waiting, most = processor_s(sinks), 0.0, 0, 0, 0
    print("     s   records  records/s  waiting  behind s  at most s  core %  MB/s  MiB")
    while (now := time.perf_counter()) - began < seconds:
        feed(journal, made, int((now - began) * per_s) - journal.rows)
        waiting = backlog.rows(journal.rows)
        most = max(most, waiting)
        if now - last >= REPORT_EVERY_S:
            share = (processor_s(sinks) - used) / (now - last) * 100
            rate, disk = (journal.rows - fed) / (now - last), (written_mb(sinks) - written) / (now - last)
            shown = f"{now - began:6.0f} {journal.rows:9} {rate:10.0f} {waiting:8} {waiting / per_s:9.2f}"
            print(f"{shown} {most / per_s:10.2f} {share:7.0f} {disk:5.1f} {memory_mib(sinks):4.0f}", flush=True)
            last, used, written, fed, most = now, processor_s(sinks), written_mb(sinks), journal.rows, 0
        time.sleep(TICK_S)
    journal.close()
    return waiting < 2 * per_s


def main(seconds: float, per_s: float, core: int | None) -> int:
    """The exit code."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        context = multiprocessing.get_context("spawn")
        sinks = context.Process(target=drain, args=(folder / "spool", folder / "clawgw.db", core), daemon=True)
        sinks.start()
        assert sinks.pid is not None  # noqa: S101 - it has been started
        keeps_up = run(folder, sinks.pid, seconds, per_s)
        sinks.kill()
        sinks.join()
    return 0 if keeps_up else 1


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=float, default=SECONDS)
    parser.add_argument("--per-second", type=float, default=PER_S)
    parser.add_argument("--core", type=int)
    asked = parser.parse_args()
    sys.exit(main(asked.seconds, asked.per_second, asked.core))
