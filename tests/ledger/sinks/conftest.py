from collections.abc import Iterator

import pytest

from tests.ledger.sinks.mock_kafka import MockKafka
from tests.ledger.sinks.mongodb import MongoServer, find_mongodb


@pytest.fixture(scope="session")
def shared_mongodb() -> Iterator[MongoServer]:
    server = MongoServer(find_mongodb())
    yield server
    server.close()


@pytest.fixture
def mongodb(shared_mongodb: MongoServer) -> MongoServer:
    """Empty, and to be left alive."""
    shared_mongodb.client.drop_database("clawgw")
    return shared_mongodb


@pytest.fixture
def doomed_mongodb() -> Iterator[MongoServer]:
    """One that may be frozen and killed."""
    server = MongoServer(find_mongodb())
    yield server
    server.close()


@pytest.fixture
def cluster() -> Iterator[MockKafka]:
    cluster = MockKafka()
    yield cluster
    cluster.close()
