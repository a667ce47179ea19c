"""A redis-server of its own, which tests freeze, kill, restart and empty."""

import os
import shutil
import subprocess
import tempfile
import time
from pathlib import Path

import pytest
import redis

from tests.program import Program

PROGRAM = shutil.which("redis-server")
START_S = 20.0


def find_redis_server() -> str:
    if PROGRAM is not None:
        return PROGRAM
    reason = "redis-server is not installed (Debian: apt-get install redis-server)"
    if os.environ.get("CI"):
        pytest.fail(f"{reason}; under CI nothing is skipped")
    pytest.skip(reason)


class RedisServer(Program):
    def __init__(self, program: str, *options: str) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="clawgw"))
        self.url = f"unix://{self.folder}/s"
        self._command = [program, "--port", "0", "--unixsocket", "s", "--save", "", "--dir", str(self.folder), *options]
        self.client = redis.Redis(unix_socket_path=f"{self.folder}/s")
        self.start()

    def start(self) -> None:
        self._process = subprocess.Popen(self._command, stdout=subprocess.DEVNULL)  # noqa: S603 - our own words
        until = time.monotonic() + START_S
        while time.monotonic() < until:
            try:
                self.client.ping()
            except redis.ConnectionError:
                time.sleep(0.005)
            else:
                return
        raise TimeoutError("redis-server does not start")

    def permit(self, *rules: str) -> None:
        self.client.execute_command("ACL", "SETUSER", "default", *rules)  # type: ignore[no-untyped-call]  # redis-py's

    def close(self) -> None:
        self.kill()
        self.client.close()
        shutil.rmtree(self.folder)
