"""One process that serves: hypercorn on our listening sockets, from start to drained."""

import logging
import ssl
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, cast

import hypercorn.trio
import trio
from hypercorn import Config

from clawgw.config.settings import Server
from clawgw.serve import strict
from clawgw.serve.listeners import BACKLOG
from clawgw.serve.stopping import Stop, drain_limit_s, exit_hard
from clawgw.serve.tls import Tls
from clawgw.web.app import build_app
from clawgw.web.head import MAX_BYTES
from clawgw.web.service import Service

HEAD_S = 10.0
"""How long a connection may stay without a whole request head: it is idle, or its client is dripping."""


async def serve_until_stopped(
    service: Service, tls: Tls, fds: Sequence[int], stop: Stop, on_ready: Callable[[], None]
) -> None:
    """Serve `service` on listening sockets, which are closed in the end; `on_ready` once requests are taken."""
    config = hypercorn_config(service.snapshot.settings.server, fds, tls.listening)
    async with trio.open_nursery() as watch:
        watch.start_soon(exit_hard, stop, lambda: drain_limit_s(service.snapshot.settings.server))
        async with trio.open_nursery() as nursery:
            nursery.start_soon(_cancel_at_once, stop, nursery.cancel_scope)
            trigger = partial(_drained, service, stop, config)
            app = cast("Any", build_app(service))
            await nursery.start(_serve, app, config, trigger, nursery.cancel_scope)
            on_ready()
        watch.cancel_scope.cancel()


def hypercorn_config(server: Server, fds: Sequence[int], tls_context: ssl.SSLContext | None) -> Config:
    """Hypercorn's settings: no limits but our own, no lines in the log but warnings."""
    strict.install()
    log = logging.getLogger("hypercorn.error")
    log.setLevel(logging.WARNING)
    config = _Config()
    config.tls_context = tls_context
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


class _Config(Config):
    """Hypercorn's, with a TLS context of ours."""

    tls_context: ssl.SSLContext | None = None

    def create_ssl_context(self) -> ssl.SSLContext | None:
        """For hypercorn, which looks at the names of the files for nothing else than whether there is to be TLS."""
        return self.tls_context


async def _serve(
    app: Any,
    config: Config,
    trigger: Any,
    cancel_scope: trio.CancelScope,
    task_status: trio.TaskStatus[list[str]] = trio.TASK_STATUS_IGNORED,
) -> None:
    await hypercorn.trio.serve(app, config, shutdown_trigger=trigger, task_status=task_status, mode="asgi")
    cancel_scope.cancel()


async def _drained(service: Service, stop: Stop, config: Config) -> None:
    """Returns when no more connections are to be accepted; what is in flight then has as long as is configured now."""
    await stop.draining.wait()
    service.draining = True
    await trio.sleep(service.snapshot.settings.server.drain_delay_s)
    config.graceful_timeout = service.snapshot.settings.server.drain_s


async def _cancel_at_once(stop: Stop, cancel_scope: trio.CancelScope) -> None:
    await stop.at_once.wait()
    cancel_scope.cancel()
