"""A program beside the tests that goes away on purpose: frozen, it neither answers nor closes a connection."""

import signal
import subprocess
from typing import Any


class Program:
    """Whoever inherits starts `_process`."""

    _process: subprocess.Popen[Any]

    def freeze(self) -> None:
        self._process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        self._process.send_signal(signal.SIGCONT)

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()
