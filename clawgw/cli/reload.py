"""`clawgw reload`: have the running gateway load its configuration again, and print what came of it."""

import argparse
import json
import os
import signal
import sys
import time
from math import inf
from pathlib import Path

from attrs import frozen

from clawgw.cli import configuration
from clawgw.config.files import log_of
from clawgw.serve.presence import PID_FILE, Word, find, heard

HELP = "Have the running gateway load its configuration again."

_LOOK_EVERY_S = 0.05


class NoWordError(Exception):
    """The gateway did not answer; the message says why."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's options."""
    configuration.add_arguments(parser)
    parser.add_argument(
        "--timeout", metavar="SECONDS", type=_seconds, default=60.0, help="how long to wait (default: 60)"
    )
    parser.add_argument("--json", action="store_true", help="print a JSON object")


def run(args: argparse.Namespace) -> int:
    """0: reloaded. 1: it was not, or the gateway did not say so in time. 2: there is no gateway to tell."""
    folder = log_of(configuration.choice(args), os.environ, Path.read_bytes).parent
    try:
        pid = find(folder)
    except OSError as error:
        print(f"{folder / PID_FILE}: {error.strerror}", file=sys.stderr)
        return 2
    if pid is None:
        print(f"no gateway is running with this configuration ({folder / PID_FILE} names none)", file=sys.stderr)
        return 2
    try:
        word = _Gateway(folder, pid).reload(args.timeout)
    except NoWordError as error:
        print(error, file=sys.stderr)
        return 1
    _print(word, as_json=args.json)
    return 0 if word.ok else 1


@frozen
class _Gateway:
    folder: Path
    pid: int

    def reload(self, timeout_s: float) -> Word:
        """Its word on a reload that began after it was asked. Raises NoWordError."""
        asked_at = time.time()
        try:
            os.kill(self.pid, signal.SIGHUP)
        except OSError as error:
            raise NoWordError(f"process {self.pid} cannot be told: {error.strerror}") from None
        until = time.monotonic() + timeout_s
        while time.monotonic() < until:
            word = heard(self.folder)
            if word is not None and word.at >= asked_at:
                return word
            if find(self.folder) != self.pid:
                raise NoWordError(f"the gateway (process {self.pid}) has ended")
            time.sleep(_LOOK_EVERY_S)
        raise NoWordError(f"the gateway (process {self.pid}) has not answered in {timeout_s:g} s")


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not 0 < seconds < inf:
        raise argparse.ArgumentTypeError(f"{text!r}: a number of seconds, more than 0")
    return seconds


def _print(word: Word, *, as_json: bool) -> None:
    if as_json:
        print(json.dumps(word.as_json()))
    elif word.ok:
        print(f"configuration {word.version} is served")
    else:
        for mistake in word.mistakes:
            print(mistake, file=sys.stderr)
        print(f"configuration {word.version} goes on being served", file=sys.stderr)
