"""How the gateway is told to stop: drain first, at once if told again."""

import logging
import os
import signal
from collections.abc import Callable

import trio
from attrs import define, field

from clawgw.config.tables.server import Server
from clawgw.serve.early import release_signals

log = logging.getLogger("clawgw")

SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
AFTER_ALL_S = 2.0
"""What is still open after everything should be over is given so long."""


def drain_limit_s(server: Server) -> float:
    """How long a drain may take, from the moment when it is asked for."""
    return server.drain_delay_s + server.drain_s


@define
class Stop:
    """Two events: `draining` (finish what is in flight), `at_once`."""

    draining: trio.Event = field(factory=trio.Event)
    at_once: trio.Event = field(factory=trio.Event)

    def ask(self) -> None:
        """The first time drains, the second stops at once."""
        if self.draining.is_set():
            log.info("stopping at once")
            self.at_once.set()
        else:
            log.info("stopping: what is in flight may finish; a second signal stops at once")
            self.draining.set()

    def drain(self) -> None:
        """Drain, however often it is said."""
        self.draining.set()

    def now(self) -> None:
        """Stop at once."""
        self.draining.set()
        self.at_once.set()


async def obey_signals(
    on_stop: Callable[[], None],
    on_reload: Callable[[], None],
    task_status: trio.TaskStatus = trio.TASK_STATUS_IGNORED,
) -> None:
    """Call `on_stop` for each SIGTERM and SIGINT, `on_reload` for SIGHUP, until cancelled."""
    with trio.open_signal_receiver(*SIGNALS) as signals:
        release_signals()
        task_status.started()
        async for number in signals:
            (on_reload if number == signal.SIGHUP else on_stop)()


async def exit_hard(stop: Stop, drain_s: Callable[[], float], leave: Callable[[int], object] = os._exit) -> None:
    """End the process where something that cannot be cancelled outlives the stop, such as a send nobody reads.

    `drain_s` is asked when the drain begins.
    """
    await stop.draining.wait()
    with trio.move_on_after(drain_s()):
        await stop.at_once.wait()
    await trio.sleep(AFTER_ALL_S)
    log.warning("some connections did not end; leaving without them")
    leave(0)
