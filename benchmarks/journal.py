"""What the log costs a request, and how many records a second reach SQLite: `python -m benchmarks.journal [COUNT]`."""

import resource
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from attrs import evolve

from clawgw.ledger.journal.journal import Journal
from clawgw.ledger.journal.spool import Spool
from clawgw.ledger.record import AttemptRecord, Opening, RequestRecord
from clawgw.ledger.sinks.drain import Drain
from clawgw.policy import Target

ATTEMPT = AttemptRecord(
    Target("openai", "gpt-6"), "primary", 0.5, 300.1, "won", 120.2, 200, None, 900, 150, "reported", 1_500_000
)
ENDED = RequestRecord(
    "",
    0,
    "chat.completions",
    "7f3d3d73c975",
    key="team",
    labels={"tier": "gold"},
    stream=True,
    outcome="ok",
    status=200,
    duration_ms=301.0,
    route="smart",
    user="user-1",
    metadata={"job": "7"},
    provider="openai",
    model="gpt-6",
    finish_reason="stop",
    prompt_tokens=900,
    completion_tokens=150,
    usage_source="reported",
    cost_pico=1_500_000,
    first_token_ms=120.2,
    attempts=(evolve(ATTEMPT, outcome="failed"), ATTEMPT),
)


def main(count: int) -> None:
    """Write so many requests to a journal, and drain it."""
    with tempfile.TemporaryDirectory(dir=".") as name:
        folder = Path(name)
        begins, ends = write(folder / "spool", count)
        print("request begins, µs:", shown(begins))
        print("request ends, µs:  ", shown(ends))
        began, cpu = time.perf_counter(), time.process_time()
        drain = Drain(Spool(folder / "spool"), folder / "clawgw.db", 30)
        drain.stop()
        drain.run()
        per_s, per_cpu_s = count / (time.perf_counter() - began), count / (time.process_time() - cpu)
        memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
        print(f"to SQLite: {per_s:.0f} records/s, {per_cpu_s:.0f} per second of one core; at most {memory} MiB")


def write(spool: Path, count: int) -> tuple[Sequence[int], Sequence[int]]:
    """What each call has taken, in ns."""
    journal, at_ms = Journal.open(spool, 2**34), time.time_ns() // 1_000_000
    begins, ends = list[int](), list[int]()
    for number in range(count):
        request_id = f"req_{number:026}"
        ended = evolve(ENDED, request_id=request_id, at_ms=at_ms)
        begun = opening_of(ended)
        times = [time.perf_counter_ns()]
        journal.intend(begun)
        times.append(time.perf_counter_ns())
        journal.request_ended(ended)
        times.append(time.perf_counter_ns())
        begins.append(times[1] - times[0])
        ends.append(times[2] - times[1])
    journal.close()
    return begins, ends


def opening_of(record: RequestRecord) -> Opening:
    """How it began."""
    return Opening(*[getattr(record, name) for name in Opening._fields])


def shown(times: Sequence[int]) -> str:
    """Median, 99th percentile, largest."""
    percentiles = statistics.quantiles(times, n=100)
    return f"p50 {percentiles[49] / 1000:.0f}, p99 {percentiles[98] / 1000:.0f}, most {max(times) / 1000:.0f}"


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 50_000)
