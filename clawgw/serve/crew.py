"""One worker process as its supervisor sees it."""

import logging
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Self

import trio
from attrs import define, field, frozen

from clawgw.config.mistakes import Mistake
from clawgw.serve.inheritance import Order, parse_answer

log = logging.getLogger("clawgw")


@frozen
class Crew:
    """What to run: `count` times `command`, which inherits the sockets `fds` and counts in `metrics_dir`."""

    command: Sequence[str]
    environment: Mapping[str, str]
    fds: Sequence[int]
    count: int
    metrics_dir: Path


@define(eq=False)
class Worker:
    """A running process. It is given one order at a time."""

    number: int
    process: trio.Process
    _rest: bytes = field(init=False, default=b"")

    @classmethod
    async def start(cls, crew: Crew, number: int) -> Self:
        """Number `number` of a crew."""
        process = await trio.lowlevel.open_process(
            list(crew.command),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            pass_fds=crew.fds,
            env=crew.environment,
            start_new_session=True,  # a Ctrl-C in the terminal is for the supervisor alone
        )
        return cls(number, process)

    def __str__(self) -> str:
        return f"worker {self.number} (process {self.process.pid})"

    async def ask(self, order: Order, within_s: float) -> Sequence[Mistake]:
        """Give an order; what the worker says is wrong. One that does not answer in time is ended."""
        try:
            with trio.fail_after(within_s):
                await self._stdin.send_all(order.line())
                return parse_answer(await self._line())
        except trio.TooSlowError:
            problem = f"did not answer in {within_s:g} s"
            log.error("%s %s", self, problem)  # noqa: TRY400 - the message is all there is to say
            self.process.kill()
        except (trio.BrokenResourceError, trio.ClosedResourceError, trio.EndOfChannel):
            problem = "ended"
        return [Mistake("server.workers", f"{self} {problem}")]

    async def wait(self) -> int:
        """Until the process has ended; its exit code. Closes the pipes."""
        code = await self.process.wait()
        await self._stdin.aclose()
        await self._stdout.aclose()
        return code

    async def stop_at_once(self) -> None:
        """Let it know that its supervisor wants it no more."""
        await self._stdin.aclose()

    async def _line(self) -> bytes:
        while b"\n" not in self._rest:
            data = await self._stdout.receive_some()
            if not data:
                raise trio.EndOfChannel
            self._rest += data
        line, _, self._rest = self._rest.partition(b"\n")
        return line

    @property
    def _stdin(self) -> trio.abc.SendStream:
        assert self.process.stdin is not None  # noqa: S101 - it was asked for as a pipe
        return self.process.stdin

    @property
    def _stdout(self) -> trio.abc.ReceiveStream:
        assert self.process.stdout is not None  # noqa: S101 - it was asked for as a pipe
        return self.process.stdout
