"""The listener of `metrics.bind`: plain HTTP/1.1, for whoever watches the gateway, without a key."""

import socket
from collections.abc import Sequence

import trio

from clawgw.http1.server import Http1Server
from clawgw.web.app import build_watch_app
from clawgw.web.service import Service


async def serve_metrics(service: Service, fds: Sequence[int], head_s: float) -> None:
    """Serve on listening sockets, which are closed in the end, until cancelled. `head_s` as for `Http1Server`."""
    http1 = Http1Server.of(build_watch_app(service), head_s)

    async def serve(stream: trio.SocketStream) -> None:
        if await http1.serve(stream) is not None:  # it asks for another protocol, and there is none here
            await stream.aclose()

    await trio.serve_listeners(serve, [_listener(fd) for fd in fds])


def _listener(fd: int) -> trio.SocketListener:
    return trio.SocketListener(trio.socket.from_stdlib_socket(socket.socket(fileno=fd)))
