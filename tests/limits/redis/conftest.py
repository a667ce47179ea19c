from collections.abc import Iterator

import pytest

from tests.limits.redis.server import RedisServer, find_redis_server


@pytest.fixture(scope="session")
def shared_server() -> Iterator[RedisServer]:
    server = RedisServer(find_redis_server())
    yield server
    server.close()


@pytest.fixture
def server(shared_server: RedisServer) -> RedisServer:
    """Empty, and to be left alive."""
    shared_server.client.flushall()
    return shared_server


@pytest.fixture
def doomed() -> Iterator[RedisServer]:
    """One that may be frozen and killed."""
    server = RedisServer(find_redis_server())
    yield server
    server.close()
