"""The log of a running gateway whose stores go away. `python -m benchmarks.outages` makes it last."""

from contextlib import closing

import trio

from tests.ledger.sinks.mock_kafka import MockKafka
from tests.ledger.sinks.mongodb import MongoServer, find_mongodb
from tests.serve.gateway import Starter
from tests.serve.outages import PHASES, begin, mistakes

AT_ONCE_MS = 2000
"""Whoever waited for a store that is away would wait for longer."""


async def test_stores_that_go_away_hold_up_nobody_and_have_every_record_once_in_the_end(start: Starter) -> None:
    program = await trio.to_thread.run_sync(find_mongodb)
    with closing(MongoServer(program)) as mongodb, closing(MockKafka()) as kafka:
        outage = await begin(start, mongodb, kafka, 100)
        await outage.play(calm_s=1, away_s=3)
        await outage.caught_up(40)
        assert mistakes(outage.load.answered, await outage.stop()) == []
    for phase in PHASES:
        assert outage.load.took_ms[phase]
        assert max(outage.load.took_ms[phase]) < AT_ONCE_MS
