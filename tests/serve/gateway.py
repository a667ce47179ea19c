"""The gateway as its users run it: a process of its own, signals, lines on standard error, exit codes."""

import json
import os
import re
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

import trio
from attrs import define, field

from tests.web.serving import Client

ROOT = Path(__file__).resolve().parents[2]
PASSED_ON = (
    "PATH",
    "HOME",
    "TMPDIR",
    "PYTHONPATH",
    "COVERAGE_FILE",
    "COVERAGE_PROCESS_CONFIG",
    "COVERAGE_PROCESS_START",
)
CHAT: dict[str, Any] = {"model": "slow/echo", "messages": [{"role": "user", "content": "one two three four five six"}]}
SLOW_ECHO = """
[providers.slow]
wire = "echo"
tokens_per_second = {}
"""


def environment() -> dict[str, str]:
    """No key of the machine, only what Python needs."""
    passed_on = {name: os.environ[name] for name in PASSED_ON if name in os.environ}
    return passed_on | {"PYTHONPATH": f"{ROOT}:{passed_on.get('PYTHONPATH', '')}"}


@define
class Process:
    """A gateway in `folder`; `lines` are what it has said on standard error."""

    folder: Path
    process: trio.Process
    lines: list[str] = field(factory=list)
    _rest: bytes = b""

    async def line(self, pattern: str) -> re.Match[str]:
        """Wait for a line that fits."""
        while True:
            for line in self.lines:
                if match := re.search(pattern, line):
                    return match
            assert await self._read(), f"it ended without {pattern!r}: {self.lines}"

    async def connect(self) -> Client:
        match = await self.line(r"listening on http://127\.0\.0\.1:(\d+)")
        return Client(await trio.open_tcp_stream("127.0.0.1", int(match[1])))

    async def version(self) -> str:
        """That of the configuration, as some worker says."""
        client = await self.connect()
        async with client.stream:
            return str((await client.get("/health")).json["config"])

    def write(self, name: str, text: str) -> None:
        """Put a file into its folder."""
        (self.folder / name).write_text(text)

    async def reload(self, *options: str) -> tuple[int, list[str]]:
        """`clawgw reload` in the same folder: its exit code, and the lines that it printed."""
        command = [sys.executable, "-m", "clawgw", "reload", *options]
        ended = await trio.run_process(
            command, capture_stdout=True, stderr=subprocess.STDOUT, check=False, cwd=self.folder, env=environment()
        )
        return ended.returncode, ended.stdout.decode().splitlines()

    def children(self, variable: bytes) -> list[int]:
        """Of its processes, those that were started with a variable."""
        threads = Path(f"/proc/{self.process.pid}/task").iterdir()  # a child is known as that of a thread
        children = [int(child) for thread in threads for child in (thread / "children").read_text().split()]
        return [child for child in children if variable in _environment_of(child)]

    async def wait(self) -> int:
        """Its exit code; all its lines are there then."""
        while await self._read():
            pass
        return await self.process.wait()

    async def _read(self) -> bool:
        assert self.process.stderr is not None
        data = await self.process.stderr.receive_some()
        *whole, self._rest = (self._rest + data).split(b"\n")
        self.lines += [line.decode() for line in whole]
        assert data or not self._rest
        return bool(data)


@define
class Starter:
    nursery: trio.Nursery
    folder: Path

    async def __call__(self, *options: str, config: str = "") -> Process:
        self.folder.joinpath("gateway.toml").write_text(config)
        command = [sys.executable, "-m", "clawgw", "serve", "--bind", "127.0.0.1:0", *options]
        process = await trio.lowlevel.open_process(
            command,
            stderr=subprocess.PIPE,
            cwd=self.folder,
            env=environment() | {"TMPDIR": str(self.folder)},  # what it leaves when it is killed goes with the test
            start_new_session=True,
        )
        self.nursery.start_soon(_kill_in_the_end, process)
        return Process(self.folder, process)


def _environment_of(process: int) -> bytes:
    with suppress(OSError):  # it has ended
        return Path(f"/proc/{process}/environ").read_bytes()
    return b""


async def _kill_in_the_end(process: trio.Process) -> None:
    try:
        await trio.sleep_forever()
    finally:
        with trio.CancelScope(shield=True):
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
            await process.wait()
            if process.stderr is not None:
                await process.stderr.aclose()


async def begin_stream(client: Client, model: str = "slow/echo", words: int = 6) -> None:
    """Ask for a stream of so many words and take its first event."""
    said = {"role": "user", "content": " ".join(["word"] * words)}
    await client.send_post(json.dumps({"model": model, "messages": [said], "stream": True}).encode())
    status, _ = await client.read_head()
    assert status == 200
    assert (await client.read_chunk()).startswith(b"data: {")
