"""One process that serves: hypercorn on our listening sockets, from start to drained."""

import logging
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, cast

import hypercorn.trio
import trio
from hypercorn import Config

from clawgw.config.settings import Server
from clawgw.serve.listeners import BACKLOG, StartFailed
from clawgw.serve.stopping import Stop, exit_hard
from clawgw.web.app import build_app
from clawgw.web.head import MAX_BYTES
from clawgw.web.service import Service

HEAD_S = 10.0
"""How long a connection may stay without a whole request head: it is idle, or its client is dripping."""


async def serve_until_stopped(service: Service, fds: Sequence[int], stop: Stop, on_ready: Callable[[], None]) -> None:
    """Serve `service` on listening sockets, which are closed in the end; `on_ready` once requests are taken."""
    server = service.snapshot.settings.server
    async with trio.open_nursery() as watch:
        watch.start_soon(exit_hard, stop, server.drain_delay_s + server.drain_s)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(_cancel_at_once, stop, nursery.cancel_scope)
            trigger = partial(_drained, service, stop)
            app = cast("Any", build_app(service))
            await nursery.start(_serve, app, hypercorn_config(server, fds), trigger, nursery.cancel_scope)
            on_ready()
        watch.cancel_scope.cancel()


def hypercorn_config(server: Server, fds: Sequence[int]) -> Config:
    """Hypercorn's settings: no limits but our own, no lines in the log but warnings."""
    log = logging.getLogger("hypercorn.error")
    log.setLevel(logging.WARNING)
    config = Config()
    config.bind = [f"fd://{fd}" for fd in fds]
    config.backlog = BACKLOG
    config.certfile = server.tls_cert
    config.keyfile = server.tls_key
    config.errorlog = log
    config.include_server_header = False
    config.graceful_timeout = server.drain_s
    config.h11_max_incomplete_size = MAX_BYTES
    config.h2_max_header_list_size = MAX_BYTES
    config.keep_alive_timeout = HEAD_S
    config.keep_alive_max_requests = 2**31
    config.ssl_handshake_timeout = HEAD_S
    return config


def check_tls(server: Server) -> None:
    """Raises `StartFailed` where the certificate or its key cannot be used."""
    try:
        hypercorn_config(server, ()).create_ssl_context()
    except OSError as error:  # ssl.SSLError is one
        raise StartFailed(f"server.tls_cert, server.tls_key: {error.strerror or error}", exit_code=2) from error


async def _serve(
    app: Any,
    config: Config,
    trigger: Any,
    cancel_scope: trio.CancelScope,
    task_status: trio.TaskStatus[list[str]] = trio.TASK_STATUS_IGNORED,
) -> None:
    await hypercorn.trio.serve(app, config, shutdown_trigger=trigger, task_status=task_status, mode="asgi")
    cancel_scope.cancel()


async def _drained(service: Service, stop: Stop) -> None:
    """Returns when no more connections are to be accepted."""
    await stop.draining.wait()
    service.draining = True
    await trio.sleep(service.snapshot.settings.server.drain_delay_s)


async def _cancel_at_once(stop: Stop, cancel_scope: trio.CancelScope) -> None:
    await stop.at_once.wait()
    cancel_scope.cancel()
