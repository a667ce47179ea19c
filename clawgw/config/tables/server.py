"""How the gateway listens: `[server]`, `[websocket]`, `[metrics]`."""

from typing import Annotated

from attrs import frozen

from clawgw.config.rules import NotEmpty
from clawgw.config.values import BindAddress, Count, FileName, OptionalBindAddress, Positive, PositiveOrZero, Word


@frozen
class Server:
    """`[server]`."""

    bind: Annotated[tuple[BindAddress, ...], NotEmpty("address")] = ("127.0.0.1:8080",)
    workers: Count = 1
    max_body_bytes: Count = 20 * 1024 * 1024
    drain_delay_s: PositiveOrZero = 0.0
    drain_s: PositiveOrZero = 30.0
    header_hold_s: PositiveOrZero = 15.0
    tls_cert: FileName | None = None
    tls_key: FileName | None = None


@frozen
class WebSocket:
    """`[websocket]`."""

    ping_s: Positive = 20.0
    pong_timeout_s: Positive = 20.0
    max_message_bytes: Count = 20 * 1024 * 1024
    max_requests: Count = 64
    max_sockets_per_key: Count = 100
    origins: tuple[Word, ...] = ()


@frozen
class Metrics:
    """`[metrics]`."""

    bind: OptionalBindAddress = ""
