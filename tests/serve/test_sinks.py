import sys
from pathlib import Path

import pytest
import trio

from clawgw.serve.readings import Readings
from clawgw.serve.sinks import SinkProcess
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
