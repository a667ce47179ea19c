"""The process that brings records from the journals to their stores, and how it is kept running.

It is this same program, started once more by the process that was started first. It gets the configuration's files as
that has read them, a line of JSON on its standard input, whose end tells it to finish.
"""

import json
import logging
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

import trio
from attrs import frozen

from clawgw.config.files import Choice, load_chosen
from clawgw.ledger.journal.spool import Spool
from clawgw.ledger.sinks.drain import Drain
from clawgw.ledger.sinks.remote import remote_sinks
from clawgw.serve.readings import Readings

log = logging.getLogger("clawgw")

VARIABLE = "CLAWGW_SINKS"
_AGAIN_AFTER_S = 1.0
_TAKE_S = 30.0
"""One that has not taken its files by then never will."""
_FINISH_S = 5.0
"""For how long it may go on when all else is over."""


def is_sink_process(environment: Mapping[str, str] = os.environ) -> bool:
    """Whether this process is to be the one."""
    return VARIABLE in environment


def drain(choice: Choice) -> int:
    """Be it, unless whoever has started it is gone by now; the exit code. Raises ConfigError, OSError, RuntimeError."""
    for number in (signal.SIGTERM, signal.SIGHUP):  # they mean those who write: what they have written is still to go
        signal.signal(number, signal.SIG_IGN)
    told = sys.stdin.readline()
    if not told.endswith("\n"):
        return 0
    readings = Readings.of_json(json.loads(told))
    snapshot = load_chosen(choice, os.environ, readings.read)
    settings = snapshot.settings.log
    work = Drain(Spool(Path(settings.spool)), Path(settings.path), settings.retention_days, remote_sinks(snapshot))
    threading.Thread(target=_stop_at_the_end_of_input, args=(work,), daemon=True).start()
    work.run()
    return 0


def _stop_at_the_end_of_input(work: Drain) -> None:
    sys.stdin.read()
    work.stop()


@frozen
class SinkProcess:
    """What to run: `command` starts this program again."""

    command: Sequence[str]
    readings: Readings

    async def keep(self) -> None:
        """See that it runs, until cancelled; then let it finish."""
        while True:
            try:
                code = await self._run()
                log.error("the process that stores records ended (exit code %d); another takes its place", code)
            except OSError as error:  # the records wait in the journals
                log.error("the process that stores records cannot be started: %s", error)  # noqa: TRY400 - it says all
            await trio.sleep(_AGAIN_AFTER_S)

    async def _run(self) -> int:
        """Once; the exit code."""
        process = await trio.lowlevel.open_process(
            list(self.command),
            stdin=subprocess.PIPE,
            env={**os.environ, VARIABLE: "1"},
            start_new_session=True,  # a Ctrl-C in the terminal is not for it
        )
        assert process.stdin is not None  # noqa: S101 - it was asked for as a pipe
        try:
            await self._tell(process, process.stdin)
            return await process.wait()
        finally:
            with trio.move_on_after(_FINISH_S, shield=True):
                await process.stdin.aclose()
                await process.wait()
            if process.returncode is None:
                log.warning("not all records have reached their stores; the next start goes on with them")
                process.kill()
                with trio.move_on_after(_FINISH_S, shield=True):
                    await process.wait()

    async def _tell(self, process: trio.Process, stdin: trio.abc.SendStream) -> None:
        """Give it the files, whole: half of them are no use, and without them nothing is stored."""
        with trio.move_on_after(_TAKE_S, shield=True) as patience, suppress(trio.BrokenResourceError):
            await stdin.send_all(json.dumps(self.readings.as_json()).encode() + b"\n")
        if patience.cancelled_caught:
            process.kill()
