"""Kafka's wire protocol over TCP without a Kafka: librdkafka's mock cluster, in a process that tests freeze and kill.

github.com/confluentinc/librdkafka, `rdkafka_mock.h`.
"""

import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence

from confluent_kafka import Consumer, TopicPartition

from tests.program import Program

PROGRAM = """
import signal
from confluent_kafka import Producer
cluster = Producer({"test.mock.num.brokers": 3, "log_level": 0})
brokers = cluster.list_topics(timeout=10).brokers.values()
print(",".join(f"{broker.host}:{broker.port}" for broker in brokers), flush=True)
signal.pause()
"""


class MockKafka(Program):
    def __init__(self) -> None:
        self._process = subprocess.Popen(  # noqa: S603 - our own words
            [sys.executable, "-c", PROGRAM], stdout=subprocess.PIPE, text=True
        )
        assert self._process.stdout is not None
        self.brokers = self._process.stdout.readline().strip()

    def close(self) -> None:
        self.kill()
        assert self._process.stdout is not None
        self._process.stdout.close()

    def events(self, topic: str) -> list[tuple[bytes, bytes]]:
        """Key and value of each, those of one key in order."""
        consumer = _consumer(self.brokers)
        try:
            return list(_read(consumer, topic))
        finally:
            consumer.close()

    def follow(self, topic: str) -> "Following":
        """Begin to read a topic, of which it keeps no more than 5 MB a partition."""
        return Following(self.brokers, topic)


class Following:
    """Reads the keys of all events as they come."""

    def __init__(self, brokers: str, topic: str) -> None:
        self._consumer, self._topic = _consumer(brokers), topic
        self._keys = list[bytes]()
        self._read = dict[int, int]()
        """By partition, how far."""
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def finish(self) -> Sequence[bytes]:
        """Those of all that are there by now."""
        self._over.set()
        self._thread.join()
        self._consumer.close()
        return self._keys

    def _run(self) -> None:
        while not (partitions := _partitions(self._consumer, self._topic)):
            self._over.wait(0.05)  # nobody has written to it yet
        self._read.update((each.partition, 0) for each in partitions)
        self._consumer.assign(partitions)
        while not (self._over.is_set() and self._at_the_end()):
            message = self._consumer.poll(0.1)
            if message is not None and message.error() is None:
                self._keys.append(message.key() or b"")
                self._read[message.partition() or 0] = (message.offset() or 0) + 1

    def _at_the_end(self) -> bool:
        return all(
            self._consumer.get_watermark_offsets(TopicPartition(self._topic, partition), timeout=10)[1] <= read
            for partition, read in self._read.items()
        )


def _consumer(brokers: str) -> Consumer:
    return Consumer({"bootstrap.servers": brokers, "group.id": "tests", "enable.partition.eof": True, "log_level": 0})


def _partitions(consumer: Consumer, topic: str) -> list[TopicPartition]:
    """From their beginning."""
    return [TopicPartition(topic, each, 0) for each in consumer.list_topics(topic, timeout=10).topics[topic].partitions]


def _read(consumer: Consumer, topic: str) -> Iterator[tuple[bytes, bytes]]:
    partitions = _partitions(consumer, topic)
    consumer.assign(partitions)
    to_read = len(partitions)
    while to_read:
        message = consumer.poll(10)
        assert message is not None, "no answer"
        if message.error():
            to_read -= 1
        else:
            yield message.key() or b"", message.value() or b""
