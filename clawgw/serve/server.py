"""One process that serves: hypercorn on our listening sockets, from start to drained."""

import logging
import ssl
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Any, cast

import hypercorn.trio
import trio

from clawgw.config.tables.server import Server
from clawgw.http1.request_head import MAX_HEAD_BYTES
from clawgw.http1.server import Http1Server
from clawgw.serve import door
from clawgw.serve.door import DoorConfig
from clawgw.serve.listeners import BACKLOG
from clawgw.serve.metrics_listener import serve_metrics
from clawgw.serve.stopping import Stop, drain_limit_s, exit_hard
from clawgw.serve.tls import Tls
from clawgw.web.app import Front, build_app
from clawgw.web.service import Service

HEAD_S = 10.0
"""How long a connection may stay without a whole request head: it is idle, or its client is dripping."""


async def serve_until_stopped(
    service: Service,
    tls: Tls,
    fds: Sequence[int],
    stop: Stop,
    on_ready: Callable[[], None],
    metrics_fds: Sequence[int] = (),
) -> None:
    """Serve `service` on listening sockets, which are closed in the end; `on_ready` once requests are taken.

    `metrics_fds`: those of `metrics.bind`.
    """
    config = hypercorn_config(service.snapshot.settings.server, fds, tls.listening)
    async with trio.open_nursery() as watch:
        watch.start_soon(exit_hard, stop, lambda: drain_limit_s(service.snapshot.settings.server))
        async with trio.open_nursery() as nursery:
            nursery.start_soon(_cancel_at_once, stop, nursery.cancel_scope)
            if metrics_fds:
                nursery.start_soon(serve_metrics, service, metrics_fds, HEAD_S)
            trigger = partial(_drained, service, stop, config)
            await nursery.start(_serve, build_app(service), config, trigger, nursery.cancel_scope)
            on_ready()
        watch.cancel_scope.cancel()


def hypercorn_config(server: Server, fds: Sequence[int], tls_context: ssl.SSLContext | None) -> DoorConfig:
    """Hypercorn's settings: no limits but our own, no lines in the log but warnings."""
    door.install()
    log = logging.getLogger("hypercorn.error")
    log.setLevel(logging.WARNING)
    config = DoorConfig()
    config.tls_context = tls_context
    config.bind = [f"fd://{fd}" for fd in fds]
    config.backlog = BACKLOG
    config.certfile = server.tls_cert
    config.keyfile = server.tls_key
    config.errorlog = log
    config.include_server_header = False
    config.graceful_timeout = server.drain_s
    config.h11_max_incomplete_size = MAX_HEAD_BYTES
    config.h2_max_header_list_size = MAX_HEAD_BYTES
    config.keep_alive_timeout = HEAD_S
    config.keep_alive_max_requests = 2**31
    config.ssl_handshake_timeout = HEAD_S
    return config


async def serve(
    front: Front,
    config: DoorConfig,
    trigger: Callable[[], Awaitable[None]],
    task_status: trio.TaskStatus[list[str]] = trio.TASK_STATUS_IGNORED,
) -> None:
    """Serve until `trigger` returns and what is in flight has ended."""
    config.http1 = http1 = Http1Server.of(front, config.keep_alive_timeout)

    async def drain() -> None:
        await trigger()
        http1.drain()

    app = cast("Any", front)
    await hypercorn.trio.serve(app, config, shutdown_trigger=drain, task_status=task_status, mode="asgi")


async def _serve(
    front: Front,
    config: DoorConfig,
    trigger: Callable[[], Awaitable[None]],
    cancel_scope: trio.CancelScope,
    task_status: trio.TaskStatus[list[str]] = trio.TASK_STATUS_IGNORED,
) -> None:
    await serve(front, config, trigger, task_status)
    cancel_scope.cancel()


async def _drained(service: Service, stop: Stop, config: DoorConfig) -> None:
    """Returns when no more connections are to be accepted; what is in flight then has as long as is configured now."""
    await stop.draining.wait()
    service.draining = True
    await trio.sleep(service.snapshot.settings.server.drain_delay_s)
    config.graceful_timeout = service.snapshot.settings.server.drain_s


async def _cancel_at_once(stop: Stop, cancel_scope: trio.CancelScope) -> None:
    await stop.at_once.wait()
    cancel_scope.cancel()
