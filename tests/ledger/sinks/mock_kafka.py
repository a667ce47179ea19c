"""Kafka's wire protocol over TCP without a Kafka: librdkafka's mock cluster, in a process that tests freeze and kill.

github.com/confluentinc/librdkafka, `rdkafka_mock.h`.
"""

import signal
import subprocess
import sys
from collections.abc import Iterator

from confluent_kafka import Consumer, TopicPartition

PROGRAM = """
import signal
from confluent_kafka import Producer
cluster = Producer({"test.mock.num.brokers": 3, "log_level": 0})
brokers = cluster.list_topics(timeout=10).brokers.values()
print(",".join(f"{broker.host}:{broker.port}" for broker in brokers), flush=True)
signal.pause()
"""


class MockKafka:
    def __init__(self) -> None:
        self._process = subprocess.Popen(  # noqa: S603 - our own words
            [sys.executable, "-c", PROGRAM], stdout=subprocess.PIPE, text=True
        )
        assert self._process.stdout is not None
        self.brokers = self._process.stdout.readline().strip()

    def freeze(self) -> None:
        self._process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        self._process.send_signal(signal.SIGCONT)

    def close(self) -> None:
        self._process.kill()
        self._process.wait()
        assert self._process.stdout is not None
        self._process.stdout.close()

    def events(self, topic: str) -> list[tuple[bytes, bytes]]:
        """Key and value of each, those of one key in order."""
        consumer = Consumer(
            {"bootstrap.servers": self.brokers, "group.id": "tests", "enable.partition.eof": True, "log_level": 0}
        )
        try:
            return list(_read(consumer, topic))
        finally:
            consumer.close()


def _read(consumer: Consumer, topic: str) -> Iterator[tuple[bytes, bytes]]:
    partitions = consumer.list_topics(topic, timeout=10).topics[topic].partitions
    consumer.assign([TopicPartition(topic, partition, 0) for partition in partitions])
    to_read = len(partitions)
    while to_read:
        message = consumer.poll(10)
        assert message is not None, "no answer"
        if message.error():
            to_read -= 1
        else:
            yield message.key() or b"", message.value() or b""
