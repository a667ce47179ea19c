"""The stores beside the embedded one that a configuration names, ready to be delivered to."""

from collections.abc import Iterator

from clawgw.config.mistakes import ConfigError, Mistake
from clawgw.config.snapshot import Snapshot
from clawgw.ledger.sinks.sink import Sink


def remote_sinks(snapshot: Snapshot) -> tuple[Sink, ...]:
    """They connect later, in whatever process uses them first. Raises ConfigError."""
    sinks, mistakes = list[Sink](), list[Mistake]()
    for made in (_mongo(snapshot), _kafka(snapshot)):
        try:
            sinks.extend(made)
        except ConfigError as error:
            mistakes.extend(error.mistakes)
    if mistakes:
        raise ConfigError(mistakes)
    return tuple(sinks)


def check_sinks(snapshot: Snapshot) -> None:
    """Whether whoever delivers will find what it needs; nobody is asked. Raises ConfigError."""
    for sink in remote_sinks(snapshot):
        sink.close()


def _mongo(snapshot: Snapshot) -> Iterator[Sink]:
    if snapshot.mongo is not None:
        from clawgw.ledger.sinks.mongo import MongoSink  # noqa: PLC0415 - takes 14 MB, of every worker

        yield MongoSink(snapshot.mongo, snapshot.settings.log.retention_days)


def _kafka(snapshot: Snapshot) -> Iterator[Sink]:
    if snapshot.kafka is None:
        return
    try:
        from clawgw.ledger.sinks.kafka import KafkaSink  # noqa: PLC0415 - what it needs comes with an extra
    except ImportError:
        message = "needs confluent-kafka: install it with `pip install clawgw[kafka]`"
        raise ConfigError([Mistake("log.kafka", message)]) from None
    yield KafkaSink(snapshot.kafka)
