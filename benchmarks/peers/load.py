"""Load on a gateway, made by c/load.c."""

import json
import subprocess
import tempfile
from pathlib import Path

from attrs import frozen
from cattrs import structure

from benchmarks.peers.machine import on

MOST = 10**9
PATIENCE_S = 60


class LoadFailed(Exception):
    """A gateway did not answer as it should; the message says how."""


@frozen
class Load:
    """How to ask. `leave`: clients go as soon as they have seen a token."""

    in_flight: int
    seconds: float
    requests: int = MOST
    leave: bool = False


@frozen
class Result:
    """What c/load.c prints."""

    answers: int
    failed: int
    left: int
    tokens: int
    seconds: float
    p50_ns: int
    p99_ns: int
    first_p50_ns: int
    first_p99_ns: int


def apply(program: Path, core: int, port: int, request: bytes, load: Load, tokens: int) -> Result:
    """Ask until done. Raises `LoadFailed` where an answer was not as it should be."""
    with tempfile.NamedTemporaryFile() as file:
        file.write(request)
        file.flush()
        figures = (port, file.name, load.in_flight, load.requests, load.seconds, tokens)
        command = [str(program), *map(str, figures), *(["leave"] if load.leave else [])]
        with on(core):
            done = subprocess.run(  # noqa: S603 - our own program
                command, check=False, capture_output=True, text=True, timeout=load.seconds + PATIENCE_S
            )
    if done.returncode:
        raise LoadFailed(done.stderr)
    result = structure(json.loads(done.stdout), Result)
    if result.failed:
        raise LoadFailed(f"{result.failed} of {result.failed + result.answers + result.left} failed: {done.stderr}")
    return result
