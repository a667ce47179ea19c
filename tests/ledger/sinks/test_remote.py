import sys
from collections.abc import Mapping

import pytest

from clawgw.config.mistakes import ConfigError
from clawgw.ledger.sinks.remote import check_sinks, remote_sinks
from tests.config.loading import snapshot

MONGODB = {"MONGODB_URL": "mongodb://alice:s3cret@db.example"}
KAFKA = {"KAFKA_BROKERS": "a.example:9092,b.example:9092"}


@pytest.mark.parametrize(
    ("environ", "names"),
    [({}, []), (MONGODB, ["mongo"]), (KAFKA, ["kafka"]), (MONGODB | KAFKA, ["mongo", "kafka"])],
)
def test_there_are_those_that_have_an_address(environ: Mapping[str, str], names: list[str]) -> None:
    sinks = remote_sinks(snapshot(environ=environ))
    assert [sink.name for sink in sinks] == names
    for sink in sinks:
        sink.close()


def test_those_that_can_be_opened_are_good() -> None:
    check_sinks(snapshot(environ=MONGODB | KAFKA))


def test_all_wrong_addresses_are_mistakes_at_once() -> None:
    with pytest.raises(ConfigError) as caught:
        remote_sinks(snapshot(environ={"MONGODB_URL": "db.example:s3cret", "KAFKA_BROKERS": "alice:s3cret@a.example"}))
    assert [str(mistake) for mistake in caught.value.mistakes] == [
        "log.mongo.url: must be a URL of a MongoDB (mongodb://, mongodb+srv://), user and password percent-encoded",
        "log.kafka.brokers: must be HOST:PORT, several separated by commas",
    ]


def test_without_the_extra_kafka_is_a_mistake_that_names_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "clawgw.ledger.sinks.kafka", raising=False)
    monkeypatch.setitem(sys.modules, "confluent_kafka", None)
    with pytest.raises(ConfigError) as caught:
        check_sinks(snapshot(environ=KAFKA))
    assert str(caught.value) == "log.kafka: needs confluent-kafka: install it with `pip install clawgw[kafka]`"
