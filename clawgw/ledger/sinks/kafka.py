"""Records in Kafka: an event for each, JSON as the log shows it, the request's id its key.

Whatever is reported as delivered has been acknowledged by all replicas in sync. An event whose acknowledgement was lost
is sent again: of several with one key the last counts, as in a compacted topic.

Needs `confluent-kafka`, which comes with the extra `clawgw[kafka]`.
"""

import re
from collections.abc import Sequence
from functools import partial

import orjson
from attrs import define, field, frozen
from confluent_kafka import KafkaError, KafkaException, Message, Producer

from clawgw.config.mistakes import ConfigError, Mistake
from clawgw.config.snapshot import ReadyKafka
from clawgw.ledger.document import Document, without_bodies
from clawgw.ledger.sinks.batches import batches
from clawgw.ledger.sinks.sink import Rejected, SinkAway

MAX_EVENT_BYTES = 64 * 1024 * 1024
"""More than a record has; the topic's own limit is the one that counts."""
_DELIVERY_MS = 10_000
_BROKER = r"([A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(:[0-9]{1,5})?"
_TOO_LARGE = frozenset({KafkaError.MSG_SIZE_TOO_LARGE, KafkaError.RECORD_LIST_TOO_LARGE})
"""For a topic, for a broker's files (kafka.apache.org/protocol, error codes)."""
_BROKERS = re.compile(rf"{_BROKER}(\s*,\s*{_BROKER})*")


@frozen
class _Event:
    document: Document
    value: bytes

    @property
    def size(self) -> int:
        return len(self.value)


@define
class _Reports:
    """What has become of the events of one batch."""

    too_large: list[_Event] = field(factory=list)
    failed: list[KafkaError] = field(factory=list)

    def add(self, event: _Event, error: KafkaError | None, _message: Message | None = None) -> None:
        """One event's fate."""
        if error is None:
            return
        if error.code() in _TOO_LARGE:
            self.too_large.append(event)
        else:
            self.failed.append(error)


class KafkaSink:
    """Connects when it delivers for the first time, so that it may be made in one process and used in another."""

    name = "kafka"

    def __init__(self, target: ReadyKafka) -> None:
        """Raises ConfigError, which says nothing of what the brokers are."""
        self._brokers = target.brokers.reveal()
        if not _BROKERS.fullmatch(self._brokers):
            raise ConfigError([Mistake("log.kafka.brokers", "must be HOST:PORT, several separated by commas")])
        self._topic = target.topic
        self._producer: Producer | None = None
        self._complaint = ""

    def deliver(self, documents: Sequence[Document]) -> Sequence[Rejected]:
        """As `Sink` says."""
        latest = {document["request_id"]: document for document in documents}
        encoded = [_encode(document) for document in latest.values()]
        rejected = [one for one in encoded if isinstance(one, Rejected)]
        for batch in batches(one for one in encoded if not isinstance(one, Rejected)):
            rejected.extend(self._send(batch))
        return rejected

    def close(self) -> None:
        """Disconnect; nothing is waited for."""
        if self._producer is not None:
            self._producer.purge()
            self._producer.flush(0)
            self._producer = None

    def _send(self, batch: Sequence[_Event]) -> Sequence[Rejected]:
        """Events travel together, and are refused together: each of those goes again alone, and then without bodies."""
        too_large = self._exchange(batch)
        if len(batch) > 1:
            return [rejected for event in too_large for rejected in self._send([event])]
        return [rejected for event in too_large for rejected in self._send_less(event)]

    def _send_less(self, event: _Event) -> Sequence[Rejected]:
        less = _encode(without_bodies(event.document)) if "request_body" in event.document else None
        if isinstance(less, _Event):
            return self._send([less])
        return [Rejected(event.document, f"{event.size} bytes are too many for the topic")]

    def _exchange(self, batch: Sequence[_Event]) -> Sequence[_Event]:
        """Those that were too large. After a failure the next producer starts afresh: this one may be past use."""
        reports, self._complaint = _Reports(), ""
        producer = self._producer = self._producer or self._connect()
        for event in batch:
            self._produce(producer, event, reports)
        unanswered = producer.flush(2 * _DELIVERY_MS / 1000)
        if reports.failed or unanswered:
            why = self._complaint or (reports.failed[0].str() if reports.failed else "no acknowledgement")
            self.close()
            raise SinkAway(why)
        return reports.too_large

    def _produce(self, producer: Producer, event: _Event, reports: _Reports) -> None:
        key = event.document["request_id"].encode()
        try:
            producer.produce(self._topic, key=key, value=event.value, on_delivery=partial(reports.add, event))
        except KafkaException as error:
            reports.add(event, error.args[0])

    def _connect(self) -> Producer:
        return Producer(
            {
                "bootstrap.servers": self._brokers,
                "client.id": "clawgw",
                "acks": "all",
                "enable.idempotence": True,
                "message.timeout.ms": _DELIVERY_MS,
                "message.max.bytes": MAX_EVENT_BYTES,
                "log_level": 0,  # what it would say comes to `error_cb` as well
                "error_cb": self._note,
            }
        )

    def _note(self, error: KafkaError) -> None:
        """The first complaint tells the most: later ones say that nothing is left to try."""
        self._complaint = self._complaint or error.str()


def _encode(document: Document) -> _Event | Rejected:
    try:
        return _Event(document, orjson.dumps(document))
    except orjson.JSONEncodeError as error:
        return Rejected(document, f"it cannot be JSON: {error}")
