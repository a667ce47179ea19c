from collections.abc import Iterator

import pytest

from tests.limits.redis.server import RedisServer, find_redis_server


@pytest.fixture
def server() -> Iterator[RedisServer]:
    """One that may be frozen and killed."""
    server = RedisServer(find_redis_server())
    yield server
    server.close()
