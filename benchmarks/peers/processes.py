"""Processes that are measured: started, waited for, stopped, and what the kernel says of them (proc(5))."""

import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from attrs import frozen

from benchmarks.peers.machine import on

PROC = Path("/proc")
OUTPUT = "output.txt"
STOP_S = 15
MIB = 1 << 20
_TICKS_PER_S = os.sysconf("SC_CLK_TCK")
_PAGE = os.sysconf("SC_PAGE_SIZE")
_KEPT = ("PATH", "HOME", "LANG", "TMPDIR")
"""Of the environment. No key, proxy or address of whoever runs this reaches a gateway."""


@frozen
class Reading:
    """What a process has used, and holds."""

    cpu_s: float
    rss_mib: float
    fds: int


def reading(pid: int) -> Reading:
    """Of a process that runs."""
    fields = (PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()
    resident = int((PROC / str(pid) / "statm").read_text().split()[1])
    fds = len(os.listdir(PROC / str(pid) / "fd"))  # noqa: PTH208 - only their number is wanted
    return Reading((int(fields[11]) + int(fields[12])) / _TICKS_PER_S, resident * _PAGE / MIB, fds)


def family(pid: int) -> Sequence[int]:
    """A process and all that it has started."""
    found = [pid]
    for parent in found:
        with suppress(OSError):  # it has just ended
            for children in (PROC / str(parent) / "task").glob("*/children"):
                found += map(int, children.read_text().split())
    return found


def settled_family(pid: int) -> Sequence[int]:
    """The same, once it has stopped changing for a second: some of those that a start needs end again."""
    found = family(pid)
    while True:
        time.sleep(1)
        before, found = found, family(pid)
        if found == before:
            return found


def move(pid: int, core: int) -> None:
    """All threads of a process to a core."""
    for task in (PROC / str(pid) / "task").iterdir():
        os.sched_setaffinity(int(task.name), {core})


@contextmanager
def running(
    command: Sequence[str], environment: Mapping[str, str], folder: Path, cores: Sequence[int]
) -> Iterator[subprocess.Popen[bytes]]:
    """A process in `folder`, where its output goes to OUTPUT; told to end in the end, and killed if it does not."""
    kept = {name: os.environ[name] for name in _KEPT if name in os.environ}
    with (folder / OUTPUT).open("wb") as output, on(*cores):
        process = subprocess.Popen(  # noqa: S603 - commands of our own
            command, cwd=folder, env={**kept, **environment}, stdin=subprocess.DEVNULL, stdout=output, stderr=output
        )
    try:
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def free_port() -> int:
    """One of loopback that nobody listens on."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])
