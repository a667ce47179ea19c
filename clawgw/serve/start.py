"""Starting to serve, in one of three roles.

One worker serves in the process that was started. Several are processes of their own, which take their listening
sockets from the one that was started (`serve.supervisor`).
"""

import logging
import os
import secrets
import socket
import sys
import tempfile
from collections.abc import Callable, Iterable, Sequence
from functools import partial

import trio

from clawgw.config.addresses import parse_bind
from clawgw.config.snapshot import Snapshot
from clawgw.policies.load import load_policies
from clawgw.serve.banner import start_up_lines
from clawgw.serve.inheritance import READY, Inheritance, inherited
from clawgw.serve.listeners import StartFailed, bound, open_listeners
from clawgw.serve.server import check_tls, serve_until_stopped
from clawgw.serve.stopping import AFTER_ALL_S, Stop, obey_signals, obey_supervisor
from clawgw.serve.supervisor import Crew, supervise
from clawgw.serve.wiring import open_service
from clawgw.web.metrics import MULTIPROCESS_DIR

log = logging.getLogger("clawgw")


def serve(snapshot: Snapshot, command: Sequence[str]) -> int:
    """Serve until told to stop; the exit code. `command` starts this same process again, as a worker.

    Raises `ConfigError` where a policy cannot be loaded.
    """
    _log_to_stderr()
    inheritance = inherited()
    if inheritance is not None:
        return trio.run(_as_worker, snapshot, inheritance)
    load_policies(snapshot).unload()
    server = snapshot.settings.server
    try:
        check_tls(server)
        listeners = open_listeners([parse_bind(bind) for bind in server.bind])
    except StartFailed as failure:
        log.error("%s", failure)  # noqa: TRY400 - the message is all there is to say
        return failure.exit_code
    lines = start_up_lines(snapshot, [bound(listener) for listener in listeners])
    instance = secrets.token_hex(4)
    run = _alone if server.workers == 1 else partial(_with_workers, command)
    return trio.run(run, snapshot, listeners, instance, partial(_say, lines))


async def _alone(
    snapshot: Snapshot, listeners: Sequence[socket.socket], instance: str, on_ready: Callable[[], None]
) -> int:
    stop = Stop()
    async with trio.open_nursery() as nursery:
        await nursery.start(obey_signals, stop.ask)
        await _serve(snapshot, Inheritance([listener.detach() for listener in listeners], instance), stop, on_ready)
        nursery.cancel_scope.cancel()
    return 0


async def _as_worker(snapshot: Snapshot, inheritance: Inheritance) -> int:
    stop = Stop()
    async with trio.open_nursery() as nursery:
        await nursery.start(obey_signals, stop.drain)
        nursery.start_soon(obey_supervisor, stop)
        await _serve(snapshot, inheritance, stop, _tell_supervisor)
        nursery.cancel_scope.cancel()
    return 0


async def _with_workers(
    command: Sequence[str],
    snapshot: Snapshot,
    listeners: Sequence[socket.socket],
    instance: str,
    on_ready: Callable[[], None],
) -> int:
    server = snapshot.settings.server
    inheritance = Inheritance([listener.fileno() for listener in listeners], instance)
    with tempfile.TemporaryDirectory(prefix="clawgw-metrics-") as metrics_dir:
        environment = {**os.environ, **inheritance.environment(), MULTIPROCESS_DIR: metrics_dir}
        stop_s = server.drain_delay_s + server.drain_s + 2 * AFTER_ALL_S
        return await supervise(Crew(command, environment, server.workers, stop_s), listeners, on_ready)


async def _serve(snapshot: Snapshot, inheritance: Inheritance, stop: Stop, on_ready: Callable[[], None]) -> None:
    async with open_service(snapshot, inheritance.instance) as service:
        await serve_until_stopped(service, inheritance.fds, stop, on_ready)


def _tell_supervisor() -> None:
    os.write(sys.stdout.fileno(), READY)


def _log_to_stderr() -> None:
    logging.basicConfig(stream=sys.stderr, level=logging.WARNING, format="%(asctime)s %(levelname)s %(message)s")
    log.setLevel(logging.INFO)


def _say(lines: Iterable[str]) -> None:
    for line in lines:
        sys.stderr.write(line + "\n")
    sys.stderr.flush()
