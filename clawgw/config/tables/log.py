"""Where records of requests go: `[log]`."""

from typing import Literal

from attrs import field, frozen

from clawgw.config.values import Address, BodyBytes, CollectionName, Count, DatabaseName, FileName, Regex, TopicName


@frozen
class Mongo:
    """`[log.mongo]`."""

    url: Address = field(default="env:MONGODB_URL", repr=False)
    database: DatabaseName = "clawgw"
    collection: CollectionName = "requests"


@frozen
class Kafka:
    """`[log.kafka]`."""

    brokers: Address = field(default="env:KAFKA_BROKERS", repr=False)
    topic: TopicName = "clawgw.requests"


@frozen
class Log:
    """`[log]`."""

    path: FileName = "clawgw.db"
    spool: FileName = "clawgw.spool"
    fsync: Literal["interval", "always"] = "interval"
    bodies: bool = False
    max_body_bytes: BodyBytes = 64 * 1024
    redact: tuple[Regex, ...] = ()
    retention_days: Count = 30
    max_spool_bytes: Count = 1024 * 1024 * 1024
    mongo: Mongo | None = None
    kafka: Kafka | None = None
