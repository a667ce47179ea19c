"""The supervisor over small scripts in place of real workers."""

import os
import signal
import socket
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest
import trio
from attrs import define, field

from clawgw.config.addresses import Bind
from clawgw.config.files import Choice
from clawgw.config.settings import Settings
from clawgw.config.snapshot import Snapshot
from clawgw.config.tables.server import Server
from clawgw.serve.crew import Crew, Worker
from clawgw.serve.listeners import open_listeners
from clawgw.serve.presence import Word
from clawgw.serve.readings import Readings
from clawgw.serve.reload import Reloading
from clawgw.serve.stopping import Stop
from clawgw.serve.supervisor import Supervisor
from clawgw.web.exposition import Reloads
from tests.waiting import until

SCRIPT = """
import json, os, signal, sys, time
number = len(os.listdir()) + 1
open(str(os.getpid()), "x").close()
signal.signal(signal.SIGTERM, {on_sigterm})
def say(mistakes=()):
    os.write(1, json.dumps([{{"path": path, "message": "no"}} for path in mistakes]).encode() + b"\\n")
def orders():
    for line in sys.stdin:
        order = json.loads(line)
        if order["verb"] != "beat":
            with open(str(os.getpid()), "a") as heard:
                heard.write(f"{{order['verb']}} {{[*order['readings']]}} {{[*order['reloads'].values()]}}\\n")
        yield order["verb"]
{then}
"""
ENDS_ON_SIGTERM = "lambda *_: os._exit(0)"
OBEDIENT = SCRIPT.format(on_sigterm=ENDS_ON_SIGTERM, then="for _ in orders(): say()")
UNTIL_HUNG_UP = SCRIPT.format(on_sigterm="signal.SIG_IGN", then="for _ in orders(): say()")
STUBBORN = SCRIPT.format(on_sigterm="signal.SIG_IGN", then="next(orders()); say(); time.sleep(60)")
BAD_END = SCRIPT.format(on_sigterm="lambda *_: os._exit(3)", then="for _ in orders(): say()")
ONE_FAILS = "if number == 1: os._exit({})\nfor _ in orders(): say()"
NONE_BUT_THE_FIRST = "if number > 2: os._exit(9)\nfor _ in orders(): say()"
OBJECTS = SCRIPT.format(
    on_sigterm=ENDS_ON_SIGTERM,
    then="for verb in orders(): say([f'a{len(os.listdir())}', 'b'] if verb == 'prepare' else [])",
)
DUMB = SCRIPT.format(
    on_sigterm=ENDS_ON_SIGTERM, then="for verb in orders():\n    time.sleep(60) if verb == 'prepare' else say()"
)


@define
class Run:
    """A supervisor of two, with the same script for all."""

    nursery: trio.Nursery

    folder: Path
    listeners: Sequence[socket.socket]
    metrics: Path
    server: Server = field(factory=Server)
    stop: Stop = field(factory=Stop)
    ready: trio.Event = field(factory=trio.Event)
    ended: trio.Event = field(factory=trio.Event)
    exit_code: int | None = None
    words: list[Word] = field(factory=list)
    supervisor: Supervisor = field(init=False)

    async def begin(self, script: str) -> None:
        self.nursery.start_soon(self, script)
        await self.ready.wait()

    async def finish(self) -> int | None:
        self.stop.ask()
        await self.ended.wait()
        return self.exit_code

    async def __call__(self, script: str) -> None:
        snapshot = Snapshot("v1", Settings(server=self.server), {}, {})
        reloading = Reloading(Choice(), snapshot, Readings({"first": b""}), self.words.append)
        command = [sys.executable, "-c", f"import os; os.chdir({str(self.folder)!r})\n{script}"]
        crew = Crew(command, dict(os.environ), [], 2, self.metrics)
        self.supervisor = Supervisor(crew, reloading, self.stop)
        self.exit_code = await self.supervisor.run(self.listeners, self.ready.set)
        self.ended.set()

    def heard(self) -> list[list[str]]:
        """The orders that each process has heard, one after another."""
        return sorted(file.read_text().splitlines() for file in self.folder.iterdir())

    async def all_heard(self, orders: int) -> list[list[str]]:
        """The same, when there are so many in all."""
        await until(lambda: sum(map(len, self.heard())) >= orders)
        return self.heard()


@pytest.fixture
def run(nursery: trio.Nursery, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.setattr("clawgw.serve.supervisor.BEAT_EVERY_S", 60)
    nursery.cancel_scope.deadline = trio.current_time() + 20
    for name in ("workers", "metrics"):
        (tmp_path / name).mkdir()
    return Run(nursery, tmp_path / "workers", open_listeners([Bind("127.0.0.1", 0)]), tmp_path / "metrics")


async def test_when_all_are_ready_it_says_so_and_when_told_to_it_stops_them(run: Run) -> None:
    await run.begin(OBEDIENT)
    assert await run.finish() == 0
    assert [listener.fileno() for listener in run.listeners] == [-1]
    assert run.heard() == [["serve ['first'] [0, 0]"]] * 2


async def test_told_to_stop_before_it_has_begun_it_stops(run: Run) -> None:
    run.stop.ask()
    with trio.fail_after(10):
        await run(OBEDIENT)
    assert run.exit_code == 0
    assert not run.ready.is_set()


async def test_told_again_it_stops_what_drains_too_long(run: Run) -> None:
    await run.begin(UNTIL_HUNG_UP)
    run.stop.ask()
    await trio.testing.wait_all_tasks_blocked()
    assert not run.ended.is_set()
    assert await run.finish() == 0


async def test_whoever_does_not_stop_in_time_is_ended(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("clawgw.serve.supervisor.AFTER_ALL_S", 0.01)
    run.server = Server(drain_s=0)
    await run.begin(STUBBORN)
    assert await run.finish() == 0


@pytest.mark.parametrize(("code", "exit_code"), [(3, 1), (0, 1), (2, 2)])
async def test_a_worker_that_does_not_start_ends_all(
    run: Run, code: int, exit_code: int, caplog: pytest.LogCaptureFixture
) -> None:
    """2 is a bad configuration, which the gateway as a whole has then."""
    await run(SCRIPT.format(on_sigterm=ENDS_ON_SIGTERM, then=ONE_FAILS.format(code)))
    assert run.exit_code == exit_code
    assert not run.ready.is_set()
    assert f"ended (exit code {code}); stopping" in caplog.text


async def test_a_worker_that_does_not_begin_to_serve_ends_all(
    run: Run, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("clawgw.serve.supervisor.ANSWER_S", 0.1)
    await run(SCRIPT.format(on_sigterm="signal.SIG_DFL", then="time.sleep(60)"))
    assert run.exit_code == 1
    assert not run.ready.is_set()
    assert "ended (exit code -9); stopping" in caplog.text


async def test_a_worker_that_ends_later_is_replaced_by_one_that_serves_what_is_served_now(
    run: Run, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("clawgw.serve.supervisor.REPLACE_AFTER_S", 0.01)
    forgotten = list[tuple[Path, int]]()
    monkeypatch.setattr("clawgw.serve.supervisor.forget_process", lambda *process: forgotten.append(process))
    await run.begin(OBEDIENT)
    run.supervisor.reloading.served = Readings({"second": b""})
    run.supervisor.reloading.reloads = Reloads(ok=1)
    process = next(run.folder.iterdir())
    os.kill(int(process.name), signal.SIGKILL)
    assert await run.all_heard(3) == [
        ["serve ['first'] [0, 0]"],
        ["serve ['first'] [0, 0]"],
        ["serve ['second'] [1, 0]"],
    ]
    assert forgotten == [(run.metrics, int(process.name))]
    assert f"(process {process.name}) ended (exit code -9); another takes its place" in caplog.text
    assert await run.finish() == 0


@pytest.mark.parametrize(
    ("lasting_s", "expected"), [(60.0, [0.01, 0.02, 0.04, 0.05, 0.05]), (0.0, [0.01, 0.01, 0.01, 0.01, 0.01])]
)
async def test_one_that_ends_again_and_again_is_replaced_less_and_less_often(
    run: Run, lasting_s: float, expected: Sequence[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("clawgw.serve.supervisor.REPLACE_AFTER_S", 0.01)
    monkeypatch.setattr("clawgw.serve.supervisor.REPLACE_AFTER_AT_MOST_S", 0.05)
    monkeypatch.setattr("clawgw.serve.supervisor.LASTING_S", lasting_s)
    pauses, replacement = list[float](), Supervisor._replacement

    async def noted(supervisor: Supervisor, number: int, pause_s: float) -> Worker | None:
        pauses.append(pause_s)
        return await replacement(supervisor, number, pause_s)

    monkeypatch.setattr(Supervisor, "_replacement", noted)
    await run.begin(SCRIPT.format(on_sigterm=ENDS_ON_SIGTERM, then=NONE_BUT_THE_FIRST))
    (process, _) = run.folder.iterdir()
    os.kill(int(process.name), signal.SIGKILL)
    await until(lambda: len(pauses) >= 5)
    assert pauses[:5] == expected
    assert await run.finish() == 0


async def test_a_worker_is_not_replaced_during_a_reload(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("clawgw.serve.supervisor.REPLACE_AFTER_S", 0.01)
    await run.begin(OBEDIENT)
    async with run.supervisor.reloading.at_rest:
        (process, _) = run.folder.iterdir()
        os.kill(int(process.name), signal.SIGKILL)
        await until(lambda: run.supervisor.reloading.at_rest.statistics().tasks_waiting == 1)
        assert await run.supervisor.prepare(Readings({"second": b""})) == ()
        await run.supervisor.swap(Reloads(ok=1))
        run.supervisor.reloading.served = Readings({"second": b""})
        run.supervisor.reloading.reloads = Reloads(ok=1)
    assert (await run.all_heard(5)) == [
        ["serve ['first'] [0, 0]"],
        ["serve ['first'] [0, 0]", "prepare ['second'] [0, 0]", "swap [] [1, 0]"],
        ["serve ['second'] [1, 0]"],
    ]
    assert await run.finish() == 0


async def test_none_is_replaced_while_all_stop(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("clawgw.serve.supervisor.REPLACE_AFTER_S", 60)
    await run.begin(OBEDIENT)
    (process, _) = run.folder.iterdir()
    os.kill(int(process.name), signal.SIGKILL)
    await until(lambda: len(run.supervisor._workers) == 1)
    assert await run.finish() == 0
    assert len(run.heard()) == 2


async def test_one_that_hangs_is_ended_and_replaced(
    run: Run, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("clawgw.serve.supervisor.REPLACE_AFTER_S", 0.01)
    monkeypatch.setattr("clawgw.serve.supervisor.BEAT_EVERY_S", 0.01)
    await run.begin(OBEDIENT)
    (process, _) = run.folder.iterdir()
    monkeypatch.setattr("clawgw.serve.supervisor.BEAT_S", 1)
    os.kill(int(process.name), signal.SIGSTOP)
    assert await run.all_heard(3) == [["serve ['first'] [0, 0]"]] * 3
    assert f"(process {process.name}) did not answer in 1 s" in caplog.text
    assert caplog.text.count("another takes its place") == 1
    assert await run.finish() == 0


async def test_a_worker_that_fails_while_stopping(run: Run, caplog: pytest.LogCaptureFixture) -> None:
    await run.begin(BAD_END)
    assert await run.finish() == 1
    assert "failed while stopping (exit code 3)" in caplog.text


async def test_the_mistakes_of_all_are_told_once(run: Run) -> None:
    await run.begin(OBJECTS)
    async with run.supervisor.reloading.at_rest:
        mistakes = await run.supervisor.prepare(Readings({"bad": b""}))
        assert sorted(map(str, mistakes)) == ["a2: no", "b: no"]
        await run.supervisor.keep(Reloads(failed=1))
    assert run.heard() == [["serve ['first'] [0, 0]", "prepare ['bad'] [0, 0]", "keep [] [0, 1]"]] * 2
    assert await run.finish() == 0


async def test_one_that_does_not_answer_in_time_is_ended_and_replaced(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("clawgw.serve.supervisor.REPLACE_AFTER_S", 0.01)
    await run.begin(DUMB)
    monkeypatch.setattr("clawgw.serve.supervisor.ANSWER_S", 0.2)
    async with run.supervisor.reloading.at_rest:
        mistakes = await run.supervisor.prepare(Readings())
    assert [mistake.message.partition(") ")[2] for mistake in mistakes] == ["did not answer in 0.2 s"] * 2
    monkeypatch.setattr("clawgw.serve.supervisor.ANSWER_S", 10)
    assert (await run.all_heard(6))[:2] == [["serve ['first'] [0, 0]"]] * 2
    assert await run.finish() == 0
