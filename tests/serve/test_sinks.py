import json
import subprocess
import sys
from pathlib import Path

import pytest
import trio
from trio.testing import wait_all_tasks_blocked

from clawgw.serve.readings import Readings
from clawgw.serve.sinks import VARIABLE, SinkProcess
from tests.serve.gateway import environment
from tests.waiting import PATIENCE_S, until

STUBBORN = "import pathlib, sys, time; pathlib.Path(sys.argv[1]).write_text(sys.stdin.readline()); time.sleep(60)"


async def test_one_that_does_not_finish_in_time_is_ended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("clawgw.serve.sinks._FINISH_S", 0.1)
    told = tmp_path / "told"
    sinks = SinkProcess([sys.executable, "-c", STUBBORN, str(told)], Readings({"/a.toml": b"x"}))
    with trio.fail_after(PATIENCE_S):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(sinks.keep)
            await until(lambda: told.exists() and bool(told.read_text()))
            nursery.cancel_scope.cancel()
    assert told.read_text() == '{"/a.toml": "x"}\n'
    assert caplog.messages == ["not all records have reached their stores; the next start goes on with them"]


@pytest.mark.parametrize("bytes_more", [0, 1_000_000])
async def test_one_that_has_just_been_started_is_told_what_to_do(tmp_path: Path, bytes_more: int) -> None:
    """Else what was recorded meanwhile would wait for the next start."""
    told = tmp_path / "told"
    readings = Readings({"/a.toml": b"x" * bytes_more})
    obedient = "import pathlib, sys; pathlib.Path(sys.argv[1]).write_text(sys.stdin.read())"
    with trio.fail_after(PATIENCE_S):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(SinkProcess([sys.executable, "-c", obedient, str(told)], readings).keep)
            await wait_all_tasks_blocked()
            nursery.cancel_scope.cancel()
    assert json.loads(told.read_text()) == readings.as_json()


async def test_one_that_does_not_take_it_is_ended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("clawgw.serve.sinks._TAKE_S", 0.1)
    deaf = [sys.executable, "-c", "import time; time.sleep(60)"]
    with trio.fail_after(PATIENCE_S):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(SinkProcess(deaf, Readings({"/a.toml": b"x" * 1_000_000})).keep)
            await until(lambda: "exit code -9); another takes its place" in caplog.text)
            nursery.cancel_scope.cancel()


@pytest.mark.parametrize("said", [b"", b'{"/a.toml": "half'])
def test_it_leaves_where_nobody_is_left_to_tell_it(said: bytes) -> None:
    command = [sys.executable, "-m", "clawgw", "serve"]
    ended = subprocess.run(  # noqa: S603 - our own code
        command, input=said, capture_output=True, env=environment() | {VARIABLE: "1"}, check=True, timeout=PATIENCE_S
    )
    assert ended.stderr == b""


async def test_one_that_cannot_be_started_is_tried_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("clawgw.serve.sinks._AGAIN_AFTER_S", 0.01)
    program, told = tmp_path / "program", tmp_path / "told"
    async with trio.open_nursery() as nursery:
        nursery.start_soon(SinkProcess([str(program), str(told)], Readings()).keep)
        await until(lambda: len(caplog.messages) > 1)
        unready = tmp_path / "unready"
        unready.write_text('#!/bin/sh\ntouch "$1"; cat > /dev/null\n')
        unready.chmod(0o700)
        unready.rename(program)
        await until(told.exists)
        nursery.cancel_scope.cancel()
    assert {*caplog.messages} == {
        f"the process that stores records cannot be started: [Errno 2] No such file or directory: '{program}'"
    }
