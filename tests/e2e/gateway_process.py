"""The gateway as its users run it: `python -m clawgw serve` in a process of its own, on a free loopback port."""

import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

PATIENCE_S = 60.0
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
    command = [sys.executable, "-m", "clawgw", "serve", "--config", "gateway.toml", "--bind", "127.0.0.1:0"]
    log = folder / "stderr.txt"
    with log.open("wb") as stderr:
        process = subprocess.Popen(  # noqa: S603 - our own command line
            command, cwd=folder, env={**passed, "PYTHONPATH": str(_ROOT), **(env or {})}, stderr=stderr
        )
    try:
        yield _origin(process, log)
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


def _origin(process: subprocess.Popen[bytes], log: Path) -> str:
    """Where it listens, as soon as it says so."""
    deadline = time.monotonic() + PATIENCE_S
    while process.poll() is None and time.monotonic() < deadline:
        if found := re.search(r"^listening on (http://127\.0\.0\.1:\d+) ", log.read_text(), re.MULTILINE):
            return found[1]
        time.sleep(0.01)
    raise AssertionError(f"the gateway did not start (exit code {process.poll()})\n{log.read_text()}")
