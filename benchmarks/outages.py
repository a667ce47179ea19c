"""What clients see of a gateway whose MongoDB and Kafka are away for minutes, and whether these have every record then.

    python -m benchmarks.outages [SECONDS [REQUESTS_PER_SECOND]]

Two outages of so many seconds each (130), at so many requests a second (300). Ends with 1 where a store has not every
record once.
"""

import statistics
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import trio

from tests.ledger.sinks.mock_kafka import MockKafka
from tests.ledger.sinks.mongodb import MongoServer, find_mongodb
from tests.serve.gateway import Starter
from tests.serve.outages import PHASES, begin, mistakes

AWAY_S = 130.0
PER_S = 300.0
CALM_S = 15.0
CAUGHT_UP_S = 600.0


def _line(phase: str, took_ms: Sequence[float]) -> str:
    cuts = statistics.quantiles(took_ms, n=100)
    return f"{phase:8} {len(took_ms):7} {cuts[49]:7.1f} {cuts[94]:7.1f} {cuts[98]:7.1f} {max(took_ms):8.1f}"


async def main(away_s: float, per_s: float) -> int:
    """Play it and report."""
    mongodb, kafka = MongoServer(find_mongodb()), MockKafka()
    with tempfile.TemporaryDirectory() as folder:
        async with trio.open_nursery() as nursery:
            outage = await begin(Starter(nursery, Path(folder)), mongodb, kafka, per_s)
            await outage.play(min(away_s, CALM_S), away_s)
            waiting = await outage.waiting()
            caught_up_s = await outage.caught_up(CAUGHT_UP_S)
            stores = await outage.stop()
            nursery.cancel_scope.cancel()
    kafka.close()
    mongodb.close()
    print("phase    answers  p50 ms  p95 ms  p99 ms  most ms")
    for phase in PHASES:
        print(_line(phase, outage.load.took_ms[phase]))
    print(f"{waiting:.0f} records waited at the end of the load; caught up {caught_up_s:.1f} s later")
    again = len(stores.kafka) - len(set(stores.kafka))
    print(f"{len(outage.load.answered)} answered; SQLite {len(stores.sqlite)}, MongoDB {len(stores.mongodb)}")
    print(f"Kafka {len(set(stores.kafka))} keys, {again} events sent again")
    found = mistakes(outage.load.answered, stores)
    print("\n".join(found) or "nothing is missing, nothing is there twice")
    return 1 if found else 0


if __name__ == "__main__":
    away_s, per_s = [*map(float, sys.argv[1:]), *(AWAY_S, PER_S)[len(sys.argv) - 1 :]]
    sys.exit(trio.run(main, away_s, per_s))
