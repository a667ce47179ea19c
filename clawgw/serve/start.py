"""Starting to serve, in one of three roles.

One worker serves in the process that was started. Several are processes of their own (`serve.worker`), which take their
listening sockets and their configuration from the one that was started (`serve.supervisor`).
"""

import logging
import os
import secrets
import socket
import time
from collections.abc import Sequence
from contextlib import closing
from functools import partial
from pathlib import Path

import trio
from attrs import frozen

from clawgw.config.addresses import parse_bind
from clawgw.config.files import Choice
from clawgw.limits.table import create_shared
from clawgw.serve.banner import start_up_lines
from clawgw.serve.checking import check_stores, make_folders
from clawgw.serve.collecting import set_aside
from clawgw.serve.crew import Crew
from clawgw.serve.inheritance import Inheritance, inherited
from clawgw.serve.listeners import StartFailed, bound, open_listeners
from clawgw.serve.presence import Presence, Word
from clawgw.serve.process import Loaded, ServingProcess, load_all
from clawgw.serve.readings import Readings
from clawgw.serve.reload import NEVER_S, WATCH_S, Reloading, say
from clawgw.serve.server import serve_until_stopped
from clawgw.serve.sinks import SinkProcess
from clawgw.serve.stopping import Stop, obey_signals
from clawgw.serve.stores import Stores
from clawgw.serve.supervisor import Supervisor
from clawgw.serve.wiring import open_service
from clawgw.serve.worker import work
from clawgw.web.count_files import count_folder
from clawgw.web.exposition import METRICS_DIR

log = logging.getLogger("clawgw")


def serve(choice: Choice, command: Sequence[str], *, watch: bool) -> int:
    """Serve until told to stop; the exit code. Raises ConfigError.

    `command` starts this same process again, as a worker. `watch`: reload whenever a file changes.
    """
    inheritance = inherited()
    if inheritance is not None:
        return trio.run(work, choice, inheritance)
    readings = Readings()
    loaded = load_all(choice, readings)
    check_stores(loaded.snapshot)
    settings = loaded.snapshot.settings
    make_folders(settings.log)
    try:
        listeners = open_listeners(map(parse_bind, settings.server.bind))
        metrics = open_listeners(map(parse_bind, filter(None, [settings.metrics.bind])))
    except StartFailed as failure:
        log.error("%s", failure)  # noqa: TRY400 - the message is all there is to say
        return 1
    presence = Presence(Path(settings.log.path).parent)
    sinks = SinkProcess(command, readings)
    start = _Start(choice, readings, loaded, listeners, metrics, presence, sinks, WATCH_S if watch else NEVER_S)
    try:
        return trio.run(_alone if settings.server.workers == 1 else partial(_with_workers, command), start)
    finally:
        presence.leave()


@frozen
class _Start:
    """What there is when all has been read and checked, and the sockets are open."""

    choice: Choice
    readings: Readings
    loaded: Loaded
    listeners: Sequence[socket.socket]
    metrics: Sequence[socket.socket]
    """Those that listen at `metrics.bind`."""
    presence: Presence
    sinks: SinkProcess
    watch_s: float

    def reloading(self) -> Reloading:
        """Of what has been loaded."""
        return Reloading(self.choice, self.loaded.snapshot, self.readings, self.presence.publish, self.watch_s)

    def welcome_reloads(self) -> None:
        """Be found by `clawgw reload`. For when SIGHUP would not end this process any more."""
        self.presence.announce(Word(time.time(), ok=True, version=self.loaded.snapshot.version))

    def lines(self) -> Sequence[str]:
        """What to say when requests are taken."""
        return [*start_up_lines(self.loaded.snapshot, [*map(bound, self.listeners)], [*map(bound, self.metrics)])]


async def _alone(start: _Start) -> int:
    stop, reloading, instance = Stop(), start.reloading(), secrets.token_hex(4)
    stores = Stores.of(start.loaded.snapshot, instance)
    async with trio.open_nursery() as nursery:
        await nursery.start(obey_signals, stop.ask, reloading.ask)
        start.welcome_reloads()
        nursery.start_soon(start.sinks.keep)
        with closing(stores):
            await _serve_alone(start, stop, reloading, stores, instance)
        nursery.cancel_scope.cancel()
    return 0


async def _serve_alone(start: _Start, stop: Stop, reloading: Reloading, stores: Stores, instance: str) -> None:
    loaded, lines = start.loaded, start.lines()
    opened = open_service(loaded.snapshot, loaded.policies, instance, stores.limits, stores.recording, stores.cache)
    async with opened as (service, foundation), trio.open_nursery() as nursery:
        await nursery.start(stores.run, service.metrics)
        nursery.start_soon(reloading.run, ServingProcess(start.choice, service, foundation, loaded.tls))
        fds, metrics_fds = _detached(start.listeners), _detached(start.metrics)
        set_aside()
        await serve_until_stopped(service, loaded.tls, fds, stop, partial(say, lines), metrics_fds)
        nursery.cancel_scope.cancel()


async def _with_workers(command: Sequence[str], start: _Start) -> int:
    start.loaded.policies.unload()
    stop, reloading = Stop(), start.reloading()
    with count_folder() as metrics_dir:
        supervisor = Supervisor(_crew(command, start, metrics_dir), reloading, stop)
        async with trio.open_nursery() as nursery:
            await nursery.start(obey_signals, stop.ask, reloading.ask)
            start.welcome_reloads()
            nursery.start_soon(start.sinks.keep)
            exit_code = await supervisor.run([*start.listeners, *start.metrics], partial(say, start.lines()))
            nursery.cancel_scope.cancel()
    return exit_code


def _crew(command: Sequence[str], start: _Start, metrics_dir: Path) -> Crew:
    fds, metrics_fds = ([each.fileno() for each in sockets] for sockets in (start.listeners, start.metrics))
    limits_fd = create_shared()
    own = Inheritance(fds, limits_fd, secrets.token_hex(4), metrics_fds).environment()
    environment = {**os.environ, **own, METRICS_DIR: str(metrics_dir)}
    return Crew(
        command,
        environment,
        [*fds, *metrics_fds, limits_fd],
        start.loaded.snapshot.settings.server.workers,
        metrics_dir,
    )


def _detached(listeners: Sequence[socket.socket]) -> Sequence[int]:
    return [listener.detach() for listener in listeners]
