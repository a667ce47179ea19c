"""Stores that go away under load and come back: nothing is missing, nothing is there twice, and nobody else waits."""

import json
from pathlib import Path

import pytest

from clawgw.config.snapshot import ReadyKafka, ReadyMongo, Secret
from clawgw.ledger.journal.journal import Journal
from clawgw.ledger.journal.spool import Spool
from clawgw.ledger.sinks import kafka
from clawgw.ledger.sinks.drain import Drain
from clawgw.ledger.sinks.kafka import KafkaSink
from clawgw.ledger.sinks.mongo import MongoSink
from tests.ledger.records import outcomes, rows
from tests.ledger.sinks.mock_kafka import MockKafka
from tests.ledger.sinks.mongodb import MongoServer
from tests.ledger.sinks.test_drain import running, serve
from tests.waiting import until_sync

TOPIC = "clawgw.requests"


def test_mongodb_killed_and_kafka_frozen_under_load(
    doomed_mongodb: MongoServer, cluster: MockKafka, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kafka, "_DELIVERY_MS", 2_000)
    monkeypatch.setattr("clawgw.ledger.sinks.follower._LONGEST_WAIT_S", 0.2)
    names = [f"r{number:04}" for number in range(1_500)]
    before, during, after = names[:300], names[300:1_200], names[1_200:]
    journal, database, spool = (
        Journal.open(tmp_path / "spool", 2**27),
        tmp_path / "clawgw.db",
        Spool(tmp_path / "spool"),
    )
    mongo_sink = MongoSink(ReadyMongo(Secret(doomed_mongodb.url), "clawgw", "requests"), 30)
    kafka_sink = KafkaSink(ReadyKafka(Secret(cluster.brokers), TOPIC))
    with running(Drain(spool, database, 30, [mongo_sink, kafka_sink])):
        serve(journal, *before)
        until_sync(lambda: doomed_mongodb.requests.estimated_document_count() > 0)
        until_sync(lambda: bool(rows(database, "SELECT name FROM sqlite_master WHERE name = 'requests'")))
        doomed_mongodb.kill()
        cluster.freeze()
        serve(journal, *during)
        until_sync(lambda: len(outcomes(database)) == 1_200)
        doomed_mongodb.start()
        cluster.thaw()
        serve(journal, *after)
        journal.close()
        until_sync(lambda: not [*spool.writers()])
    assert sorted(document["_id"] for document in doomed_mongodb.requests.find({"outcome": "ok"})) == names
    assert doomed_mongodb.requests.count_documents({}) == len(names)
    events = {key.decode(): json.loads(value)["outcome"] for key, value in cluster.events(TOPIC)}
    assert events == dict.fromkeys(names, "ok")
