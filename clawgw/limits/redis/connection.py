"""A connection to Redis that never waits for long and never tries again by itself."""

from collections.abc import Iterable
from socket import socket
from typing import Any, Protocol, cast

from redis.backoff import NoBackoff
from redis.connection import Connection as TcpConnection
from redis.connection import parse_url
from redis.exceptions import RedisError
from redis.retry import Retry

CONNECT_S = 0.5


class BadRedisUrl(Exception):
    """The URL is none of Redis's; the message says so without it."""


class Connection(Protocol):
    """What is used of redis-py's class. It connects when something is sent, and closes itself when anything fails."""

    _sock: socket

    def connect(self) -> None:
        """Wait until it is open. Raises `RedisError`."""

    def pack_commands(self, commands: Iterable[tuple[Any, ...]]) -> list[bytes]:
        """What goes over the wire."""

    def send_packed_command(self, command: list[bytes]) -> None:
        """Raises `RedisError`."""

    def read_response(self) -> Any:
        """The next answer. Raises `ResponseError` where it is an error, another `RedisError` where there is none."""

    def disconnect(self) -> None:
        """Close it; sending opens it again."""


def connection(url: str, read_s: float) -> Connection:
    """For `redis://`, `rediss://` or `unix://`, with password and database; it connects when it is used.

    `read_s`: for each piece of an answer, and each step of a greeting. Raises `BadRedisUrl`.
    """
    ours: dict[str, object] = {
        "protocol": 2,  # greets without a round trip
        "driver_info": None,
        "retry": Retry(NoBackoff(), 0),
        "retry_on_timeout": False,
        "retry_on_error": [],
        "health_check_interval": 0,
        "socket_timeout": read_s,
        "socket_connect_timeout": CONNECT_S,
    }
    try:
        options = parse_url(url)  # type: ignore[no-untyped-call]  # redis-py leaves it untyped
        kind = options.pop("connection_class", TcpConnection)
        return cast("Connection", kind(**{**options, **ours}))
    except (ValueError, TypeError, RedisError):
        raise BadRedisUrl("must be a URL of a Redis, such as redis://HOST:6379/0") from None


def reason(error: BaseException) -> str:
    """What went wrong, in a word that holds neither address nor password: the name of the error beneath."""
    cause = error.__context__ if isinstance(error.__context__, OSError) else error
    return type(cause).__name__
