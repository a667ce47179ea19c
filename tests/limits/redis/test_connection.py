from typing import Any

import pytest

from clawgw.limits.redis.connection import CONNECT_S, BadRedisUrl, connection, reason


@pytest.mark.parametrize(
    "url",
    [
        "",
        "http://localhost",
        "localhost:6379",
        "redis://:secret@h:port",
        "redis://h?nonsense=1",
        "rediss://h?ssl_cert_reqs=x",
    ],
)
def test_no_url_of_a_redis_is_said_without_the_url(url: str) -> None:
    with pytest.raises(BadRedisUrl) as caught:
        connection(url, 0.05)
    assert str(caught.value) == "must be a URL of a Redis, such as redis://HOST:6379/0"


def test_a_url_chooses_server_password_and_database_but_not_patience() -> None:
    made: Any = connection("rediss://:s%40crt@example.com:7000/3?socket_timeout=60&retry_on_timeout=yes", 0.05)
    assert (made.host, made.port, made.password, made.db) == ("example.com", 7000, "s@crt", 3)
    assert (made.socket_timeout, made.socket_connect_timeout, made.retry.get_retries()) == (0.05, CONNECT_S, 0)
    assert made.check_hostname


def test_a_reason_is_the_name_of_the_error_beneath() -> None:
    error = RuntimeError("redis://:password@example.com")
    assert reason(error) == "RuntimeError"
    error.__context__ = ConnectionRefusedError("example.com")
    assert reason(error) == "ConnectionRefusedError"
