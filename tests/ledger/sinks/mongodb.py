"""A MongoDB of its own, which tests freeze, kill and start again: `mongod`, else nx-27017, which speaks like one.

nx-27017 lives in an environment of its own, which is made once (`build/`): it is no part of what the gateway needs.
"""

import hashlib
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from pymongo import MongoClient
from pymongo.errors import PyMongoError

from tests.program import Program

ROOT = Path(__file__).parents[3]
LOCK = ROOT / "requirements-mongodb.lock"
START_S = 30.0


def find_mongodb() -> Sequence[str]:
    """The beginning of a command that wants a folder and `--port N`, and is run where nothing else is."""
    if mongod := shutil.which("mongod"):
        return [mongod, "--bind_ip", "127.0.0.1", "--dbpath"]
    try:
        return [_substitute(), "--pid-file", "pid", "--log-file", "log", "--data-dir"]
    except subprocess.CalledProcessError as error:
        reason = f"there is no mongod, and nx-27017 cannot be installed: {error.stderr.decode()[-500:]}"
        if os.environ.get("CI"):
            pytest.fail(f"{reason}; under CI nothing is skipped")
        pytest.skip(reason)


def _substitute() -> str:
    folder = ROOT / "build" / f"nx-27017-{hashlib.sha256(LOCK.read_bytes()).hexdigest()[:12]}"
    complete = folder / "complete"
    if not complete.exists():
        _run(sys.executable, "-m", "venv", "--clear", str(folder))
        _run(str(folder / "bin/pip"), "install", "-q", "--require-hashes", "-r", str(LOCK))
        complete.touch()
    return str(folder / "bin/nx-27017")


def _run(*command: str) -> None:
    subprocess.run(command, check=True, capture_output=True)  # noqa: S603 - our own words


class MongoServer(Program):
    def __init__(self, program: Sequence[str]) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="clawgw"))
        self.port = _free_port()
        self.url = f"mongodb://127.0.0.1:{self.port}/"
        self.client = MongoClient[dict[str, Any]](self.url, serverSelectionTimeoutMS=500, tz_aware=True)
        self.requests = self.client["clawgw"]["requests"]
        (self.folder / "data").mkdir()
        self._command = [*program, "data", "--port", str(self.port)]
        self.start()

    def start(self) -> None:
        log = (self.folder / "log").open("ab")
        with log:
            self._process = subprocess.Popen(  # noqa: S603 - our own words
                self._command, stdout=log, stderr=log, cwd=self.folder
            )
        until = time.monotonic() + START_S
        while time.monotonic() < until:
            try:
                self.client.admin.command("ping")
            except PyMongoError:
                time.sleep(0.01)
            else:
                return
        raise TimeoutError((self.folder / "log").read_text())

    def close(self) -> None:
        self.kill()
        self.client.close()
        shutil.rmtree(self.folder)


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])
