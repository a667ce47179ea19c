"""MongoDB and Kafka that go away under a running gateway, twice: first both are frozen, then MongoDB is killed.

Kafka's stand-in keeps what it has in memory, so that it is frozen again while MongoDB is dead.
"""

import json
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence

import trio
from attrs import define, field, frozen

from tests.ledger.records import rows
from tests.ledger.sinks.mock_kafka import Following, MockKafka
from tests.ledger.sinks.mongodb import MongoServer
from tests.serve.gateway import CHAT, Process, Starter

TOPIC = "clawgw.requests"
CONFIG = """
[providers.slow]
wire = "echo"
tokens_per_second = 2000
[log.mongo]
url = "{mongodb}"
[log.kafka]
brokers = "{kafka}"
topic = "clawgw.requests"
"""
CLIENTS = 8
WORKERS = "2"
PHASES = ("before", "frozen", "between", "killed", "after")


@define
class Load:
    """Clients at a steady pace, every other one streams; what they got, and how long it took, by phase."""

    gateway: Process
    every_s: float
    phase: str = PHASES[0]
    answered: list[str] = field(factory=list)
    took_ms: dict[str, list[float]] = field(factory=lambda: defaultdict(list))

    async def run(self) -> None:
        """Until cancelled."""
        async with trio.open_nursery() as nursery:
            for number in range(CLIENTS):
                nursery.start_soon(self._ask, number)

    async def _ask(self, number: int) -> None:
        client = await self.gateway.connect()
        body = json.dumps(CHAT | {"stream": number % 2 == 1}).encode()
        at = trio.current_time() + self.every_s * number / CLIENTS
        async with client.stream:
            while True:
                await trio.sleep_until(at)
                at = max(at + self.every_s, trio.current_time())
                began, phase = time.perf_counter(), self.phase
                with trio.CancelScope(shield=True):  # whoever asks hears the end
                    answer = await client.post(body)
                self.took_ms[phase].append((time.perf_counter() - began) * 1000)
                assert answer.status == 200, answer
                self.answered.append(answer.headers["x-request-id"])


@frozen
class Stores:
    """What the three stores hold in the end."""

    sqlite: Sequence[str]
    mongodb: Sequence[str]
    kafka: Sequence[str]
    """The keys of all events. One whose acknowledgement was lost may be there again: it counts once for its key."""


@define
class Outage:
    """One gateway, its load and its stores."""

    gateway: Process
    load: Load
    mongodb: MongoServer
    kafka: MockKafka
    events: Following

    async def play(self, calm_s: float, away_s: float) -> None:
        """All phases, and then until every store has caught up."""
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self.load.run)
            await trio.sleep(calm_s)
            self._begin("frozen", self.mongodb.freeze)
            await trio.sleep(away_s)
            self._begin("between", self.mongodb.thaw)
            await trio.sleep(calm_s)
            self._begin("killed", self.mongodb.kill)
            await trio.sleep(away_s)
            await trio.to_thread.run_sync(self.mongodb.start)
            self._begin("after")
            await trio.sleep(calm_s)
            nursery.cancel_scope.cancel()

    def _begin(self, phase: str, act: Callable[[], None] = lambda: None) -> None:
        act()
        (self.kafka.freeze if phase in ("frozen", "killed") else self.kafka.thaw)()
        self.load.phase = phase

    async def caught_up(self, within_s: float) -> float:
        """Wait until no store lacks anything; for how long."""
        began = trio.current_time()
        with trio.fail_after(within_s):
            while await self.waiting() > 0:  # noqa: ASYNC110 - a store tells nobody
                await trio.sleep(0.2)
        return trio.current_time() - began

    async def waiting(self) -> float:
        """How many records some store lacks, as the gateway says."""
        client = await self.gateway.connect()
        async with client.stream:
            text = (await client.get("/metrics")).body.decode()
        (value,) = (line.split()[1] for line in text.splitlines() if line.startswith("clawgw_log_spool_rows "))
        return float(value)

    async def stop(self) -> Stores:
        """Stop the gateway, and look."""
        self.gateway.process.terminate()
        assert await self.gateway.wait() == 0, self.gateway.lines
        return await trio.to_thread.run_sync(self._stores)

    def _stores(self) -> Stores:
        return Stores(
            [name for (name,) in rows(self.gateway.folder / "clawgw.db", "SELECT request_id FROM requests")],
            [str(found["_id"]) for found in self.mongodb.requests.find({}, {"_id": 1})],
            [key.decode() for key in self.events.finish()],
        )


async def begin(start: Starter, mongodb: MongoServer, kafka: MockKafka, per_s: float) -> Outage:
    """A gateway that records to both, and clients for it."""
    gateway = await start("--workers", WORKERS, config=CONFIG.format(mongodb=mongodb.url, kafka=kafka.brokers))
    await gateway.version()
    return Outage(gateway, Load(gateway, CLIENTS / per_s), mongodb, kafka, kafka.follow(TOPIC))


def mistakes(answered: Sequence[str], stores: Stores) -> list[str]:
    """What is missing, or there twice."""
    wanted, found = Counter(answered), []
    for name, held in [("sqlite", stores.sqlite), ("mongodb", stores.mongodb), ("kafka", [*set(stores.kafka)])]:
        missing, more = wanted - Counter(held), Counter(held) - wanted
        if missing or more:
            found.append(f"{name}: {missing.total()} missing, {more.total()} too many")
    return found
