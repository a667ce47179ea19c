"""The gateway as its users run it: `python -m clawgw serve` in a process of its own, on a free loopback port."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import httpx2

PATIENCE_S = 30.0
"""The longest that a start or a stop may take."""

_ROOT = Path(__file__).resolve().parents[2]
_PASSED_ON = ("PATH", "HOME", "TMPDIR", "LANG", "VIRTUAL_ENV", "COVERAGE_FILE", "COVERAGE_PROCESS_CONFIG")


@contextmanager
def running_gateway(folder: Path, config: str = "", env: Mapping[str, str] | None = None) -> Iterator[str]:
    """Serve `config` (the text of a gateway.toml) from `folder` until the block ends; the origin, `http://host:port`.

    Of the environment only `env` and what Python needs is passed on, so that no key of the machine is ever used. In the
    end the gateway must have stopped cleanly, and its log must be free of tracebacks.
    """
    folder.joinpath("gateway.toml").write_text(config)
    passed = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
    port = _free_port()
    command = [sys.executable, "-m", "clawgw", "serve", "--config", "gateway.toml", "--bind", f"127.0.0.1:{port}"]
    log = folder / "stderr.txt"
    with log.open("wb") as stderr:
        process = subprocess.Popen(  # noqa: S603 - our own command line
            command, cwd=folder, env={**passed, "PYTHONPATH": str(_ROOT), **(env or {})}, stderr=stderr
        )
    try:
        _wait_until_ready(process, port, log)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        try:
            process.wait(PATIENCE_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
    said = log.read_text()
    assert process.returncode == 0, f"exit code {process.returncode}\n{said}"
    assert "Traceback" not in said, said


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _wait_until_ready(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while process.poll() is None and time.monotonic() < deadline:
        try:
            httpx2.get(f"http://127.0.0.1:{port}/health").raise_for_status()
        except httpx2.HTTPError:
            time.sleep(0.05)
        else:
            return
    raise AssertionError(f"the gateway did not start (exit code {process.poll()})\n{log.read_text()}")
