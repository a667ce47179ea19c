"""The supervisor over small scripts in place of real workers."""

import os
import signal
import socket
import sys
from collections.abc import Sequence

import pytest
import trio
from attrs import define, field

from clawgw.config.addresses import Bind
from clawgw.config.files import Choice
from clawgw.config.settings import Settings
from clawgw.config.snapshot import Snapshot
from clawgw.serve.listeners import open_listeners
from clawgw.serve.readings import Readings
from clawgw.serve.reload import Reloading
from clawgw.serve.stopping import obey_signals
from clawgw.serve.supervisor import Crew, Workers, supervise

SCRIPT = (
    "import os, signal, sys, time; signal.signal(signal.SIGTERM, {}); sys.stdin.readline(); os.write(1, b'[]\\n'); {}"
)
UNTIL_TERMINATED = SCRIPT.format("lambda *_: os._exit(0)", "time.sleep(60)")
UNTIL_HUNG_UP = SCRIPT.format("signal.SIG_IGN", "sys.stdin.read()")
STUBBORN = SCRIPT.format("signal.SIG_IGN", "time.sleep(60)")
BAD_END = SCRIPT.format("lambda *_: os._exit(3)", "time.sleep(60)")
ENDS = SCRIPT.format("signal.SIG_DFL", "")


@define
class Run:
    """A supervisor with the script for all its workers."""

    listeners: Sequence[socket.socket]
    ready: trio.Event = field(factory=trio.Event)
    ended: trio.Event = field(factory=trio.Event)
    exit_code: int | None = None

    async def __call__(self, script: str, stop_s: float = 60) -> None:
        workers = Workers(Crew([sys.executable, "-c", script], dict(os.environ), 2), lambda: stop_s)
        snapshot = Snapshot("v1", Settings(), {}, {})
        reloading = Reloading(Choice(), snapshot, Readings(), workers, lambda _word: None)
        async with trio.open_nursery() as nursery:
            await nursery.start(obey_signals, workers.stop.ask, reloading.ask)
            self.exit_code = await supervise(workers, reloading, self.listeners, self.ready.set)
            nursery.cancel_scope.cancel()
        self.ended.set()


@pytest.fixture
def run(nursery: trio.Nursery) -> Run:
    nursery.cancel_scope.deadline = trio.current_time() + 20
    return Run(open_listeners([Bind("127.0.0.1", 0)]))


def tell(number: signal.Signals) -> None:
    os.kill(os.getpid(), number)


async def test_when_all_are_ready_it_says_so_and_when_told_to_it_stops_them(nursery: trio.Nursery, run: Run) -> None:
    nursery.start_soon(run, UNTIL_TERMINATED)
    await run.ready.wait()
    tell(signal.SIGTERM)
    await run.ended.wait()
    assert run.exit_code == 0
    assert [listener.fileno() for listener in run.listeners] == [-1]


async def test_a_second_signal_stops_what_drains_too_long(nursery: trio.Nursery, run: Run) -> None:
    nursery.start_soon(run, UNTIL_HUNG_UP)
    await run.ready.wait()
    tell(signal.SIGINT)
    await trio.testing.wait_all_tasks_blocked()
    assert not run.ended.is_set()
    tell(signal.SIGINT)
    await run.ended.wait()
    assert run.exit_code == 0


async def test_whoever_does_not_stop_in_time_is_ended(
    nursery: trio.Nursery, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("clawgw.serve.supervisor.AFTER_ALL_S", 0.01)
    nursery.start_soon(run, STUBBORN, 0.01)
    await run.ready.wait()
    tell(signal.SIGTERM)
    await run.ended.wait()
    assert run.exit_code == 0


async def test_a_worker_that_does_not_start_ends_all(run: Run, caplog: pytest.LogCaptureFixture) -> None:
    one_fails = "import os; os.mkdir('{0}') if not os.path.exists('{0}') else os._exit(2); " + UNTIL_TERMINATED
    marker = f"{os.environ.get('TMPDIR', '/tmp')}/clawgw-test-{os.getpid()}"  # noqa: S108 - removed below
    try:
        await run(one_fails.format(marker))
    finally:
        os.rmdir(marker)  # noqa: PTH106 - nothing else is going on
    assert run.exit_code == 1
    assert not run.ready.is_set()
    assert "ended by itself (exit code 2); stopping" in caplog.text


async def test_a_worker_that_dies_later_ends_all(nursery: trio.Nursery, run: Run) -> None:
    nursery.start_soon(run, ENDS)
    await run.ended.wait()
    assert run.exit_code == 1


async def test_a_worker_that_fails_while_stopping(
    nursery: trio.Nursery, run: Run, caplog: pytest.LogCaptureFixture
) -> None:
    nursery.start_soon(run, BAD_END)
    await run.ready.wait()
    tell(signal.SIGTERM)
    await run.ended.wait()
    assert run.exit_code == 1
    assert "failed while stopping (exit code 3)" in caplog.text
