import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pytest
from confluent_kafka import KafkaError

from clawgw.config.mistakes import ConfigError
from clawgw.config.snapshot import ReadyKafka, Secret
from clawgw.ledger.sinks import kafka
from clawgw.ledger.sinks.kafka import MAX_EVENT_BYTES, KafkaSink
from clawgw.ledger.sinks.sink import SinkAway
from tests.ledger.sinks.documents import documents, one
from tests.ledger.sinks.mock_kafka import MockKafka

TOPIC = "clawgw.requests"


@pytest.fixture
def sink(cluster: MockKafka) -> Iterator[KafkaSink]:
    sink = KafkaSink(ReadyKafka(Secret(cluster.brokers), TOPIC))
    yield sink
    sink.close()


def latest(cluster: MockKafka) -> dict[str, Any]:
    """What a compacted topic would hold."""
    return {key.decode(): json.loads(value) for key, value in cluster.events(TOPIC)}


def by_id(documents: Sequence[dict[str, Any]]) -> dict[str, Any]:
    return {document["request_id"]: document for document in documents}


def test_a_record_is_an_event_under_its_id(cluster: MockKafka, sink: KafkaSink) -> None:
    final = documents(1_200)
    assert sink.deliver(final) == []
    events = cluster.events(TOPIC)
    assert len(events) == 1_200
    assert latest(cluster) == by_id(final)
    assert latest(cluster)["request-00000"]["at"] == "2100-01-01T00:00:00.123Z"


def test_the_final_record_comes_after_the_intent(cluster: MockKafka, sink: KafkaSink) -> None:
    sink.deliver(documents(20, "unknown"))
    sink.deliver(documents(20))
    assert len(cluster.events(TOPIC)) == 40
    assert latest(cluster) == by_id(documents(20))


def test_of_several_versions_the_last_one_is_sent(cluster: MockKafka, sink: KafkaSink) -> None:
    sink.deliver([*documents(2, "unknown"), *documents(2)])
    assert sorted(key for key, _ in cluster.events(TOPIC)) == [b"request-00000", b"request-00001"]
    assert latest(cluster) == by_id(documents(2))


def test_nothing_to_deliver_asks_nobody() -> None:
    sink = KafkaSink(ReadyKafka(Secret("127.0.0.1:1"), TOPIC))
    assert sink.deliver([]) == []
    sink.close()


@pytest.mark.parametrize(
    ("field", "value", "reason"),
    [
        ("user", "x" * MAX_EVENT_BYTES, "bytes are too many for the topic"),
        ("prompt_tokens", 2**64, "it cannot be JSON: Integer exceeds 64-bit range"),
        ("user", "\ud800", "it cannot be JSON: str is not valid UTF-8: surrogates not allowed"),
    ],
)
def test_what_cannot_be_an_event_is_rejected_alone(
    cluster: MockKafka, sink: KafkaSink, field: str, value: object, reason: str
) -> None:
    bad, good = one("bad") | {field: value}, documents(2)
    (rejected,) = sink.deliver([good[0], bad, good[1]])
    assert rejected.document is bad
    assert reason in rejected.reason
    assert latest(cluster) == by_id(good)


def test_brokers_that_freeze_are_away_and_then_have_everything(
    cluster: MockKafka, sink: KafkaSink, monkeypatch: pytest.MonkeyPatch
) -> None:
    final = documents(300)
    monkeypatch.setattr(kafka, "_DELIVERY_MS", 3_000)  # enough to connect, on any machine
    sink.deliver(final[:100])
    cluster.freeze()
    for _ in range(2):
        with pytest.raises(SinkAway) as away:
            sink.deliver(final)
        assert away.value.reason == "Local: Message timed out"
        monkeypatch.setattr(kafka, "_DELIVERY_MS", 1_000)
    cluster.thaw()
    monkeypatch.undo()
    assert sink.deliver(final) == []
    assert latest(cluster) == by_id(final)


def test_brokers_that_are_gone_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kafka, "_DELIVERY_MS", 300)
    sink = KafkaSink(ReadyKafka(Secret("127.0.0.1:1, [::1]:1"), TOPIC))
    with pytest.raises(SinkAway, match=r"127\.0\.0\.1#?:1.* failed: Connection refused|\[::1\].* failed"):
        sink.deliver(documents(1))
    sink.close()


class Scripted:
    """A producer whose topic takes `limit` bytes of a batch, as brokers do; the mock cluster takes everything."""

    def __init__(self, limit: int, code: int = KafkaError.MSG_SIZE_TOO_LARGE) -> None:
        self.limit = limit
        self.code = code
        self.taken = list[bytes]()
        self.values = list[bytes]()
        self._batch = list[tuple[bytes, bytes, Any]]()

    def produce(self, topic: str, *, key: bytes, value: bytes, on_delivery: Any) -> None:
        self._batch.append((key, value, on_delivery))

    def flush(self, timeout: float) -> int:
        size = sum(len(value) for _, value, _ in self._batch)
        error = KafkaError(self.code) if size > self.limit else None
        for key, value, report in self._batch:
            report(error, None)
            if error is None:
                self.taken.append(key)
                self.values.append(value)
        self._batch.clear()
        return 0

    def purge(self) -> None:
        self._batch.clear()


@pytest.mark.parametrize("code", [KafkaError.MSG_SIZE_TOO_LARGE, KafkaError.RECORD_LIST_TOO_LARGE])
def test_only_what_is_too_large_alone_is_rejected(code: int, monkeypatch: pytest.MonkeyPatch) -> None:
    producer = Scripted(2_000, code)
    monkeypatch.setattr(kafka, "Producer", lambda _: producer)
    large = one("large") | {"user": "x" * 2_000}
    sink = KafkaSink(ReadyKafka(Secret("kafka.example:9092"), TOPIC))
    (rejected,) = sink.deliver([*documents(2), large, *documents(4)[2:]])
    assert rejected.document is large
    assert producer.taken == [b"request-00000", b"request-00001", b"request-00002", b"request-00003"]
    sink.close()


def test_what_is_too_large_for_the_topic_goes_without_bodies(monkeypatch: pytest.MonkeyPatch) -> None:
    producer = Scripted(2_000)
    monkeypatch.setattr(kafka, "Producer", lambda _: producer)
    bodies = {"bodies": "kept", "request_body": "x" * 2_000, "response_body": None}
    large, hopeless = one("large") | bodies, one("hopeless") | bodies | {"user": "x" * 2_000}
    sink = KafkaSink(ReadyKafka(Secret("kafka.example:9092"), TOPIC))
    (rejected,) = sink.deliver([large, one("good"), hopeless])
    assert rejected.document == one("hopeless") | {"user": "x" * 2_000, "bodies": "dropped"}
    assert producer.taken == [b"large", b"good"]
    assert json.loads(producer.values[0]) == one("large") | {"bodies": "dropped"}
    sink.close()


class Unanswering(Scripted):
    def flush(self, timeout: float) -> int:
        return len(self._batch)


def test_no_acknowledgement_is_away_and_the_next_producer_another(monkeypatch: pytest.MonkeyPatch) -> None:
    producers = list[Unanswering]()

    def producer(config: Mapping[str, object]) -> Unanswering:
        assert config["bootstrap.servers"] == "kafka.example:9092"
        assert (config["acks"], config["enable.idempotence"]) == ("all", True)
        producers.append(Unanswering(0))
        return producers[-1]

    monkeypatch.setattr(kafka, "Producer", producer)
    sink = KafkaSink(ReadyKafka(Secret("kafka.example:9092"), TOPIC))
    for _ in range(2):
        with pytest.raises(SinkAway, match="no acknowledgement"):
            sink.deliver(documents(1))
    assert len(producers) == 2


@pytest.mark.parametrize(
    "brokers", ["", "a b", "alice:s3cret@kafka.example:9092", "a:1,,b:1", "https://s3cret", "a:1;x"]
)
def test_what_names_no_brokers_is_said_without_it(brokers: str) -> None:
    with pytest.raises(ConfigError, match=r"^log.kafka.brokers: must be HOST:PORT, several separated by commas$"):
        KafkaSink(ReadyKafka(Secret(brokers), TOPIC))


@pytest.mark.parametrize("brokers", ["a", "a.example:9092", "10.0.0.1:9092,[fe80::1]:9092", "a:1, b:1"])
def test_brokers_are_hosts_with_or_without_ports(brokers: str) -> None:
    KafkaSink(ReadyKafka(Secret(brokers), TOPIC)).close()
