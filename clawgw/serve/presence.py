"""How a running gateway is found, and what it says of its last reload: two files beside the log.

`clawgw.pid` holds the number of the process that takes SIGHUP. The process keeps it locked (flock), so whether it still
runs does not depend on a number that another process may have by now. `clawgw.reload` holds its word, as JSON. Only its
owner can read them; there is no secret in either.
"""

import fcntl
import json
import logging
import os
from collections.abc import Sequence
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any, Self

from attrs import asdict, define, field, frozen

from clawgw.config.mistakes import Mistake

log = logging.getLogger("clawgw")

PID_FILE = "clawgw.pid"
WORD_FILE = "clawgw.reload"
_OWN_MODE = 0o600


@frozen
class Word:
    """What came of a reload that began at `at` (Unix seconds); `version` is served now."""

    at: float
    ok: bool
    version: str
    mistakes: Sequence[Mistake] = ()

    def as_json(self) -> dict[str, Any]:
        """For programs."""
        return asdict(self)

    @classmethod
    def of_json(cls, said: dict[str, Any]) -> Self:
        """The same word."""
        return cls(**{**said, "mistakes": tuple(Mistake(**mistake) for mistake in said["mistakes"])})


@define
class Presence:
    """This process in `folder`. Where the files cannot be had it serves all the same; only nobody finds it there."""

    folder: Path
    _lock: int | None = field(init=False, default=None)
    """The pid file, open and locked."""

    def announce(self, word: Word) -> None:
        """From now on SIGHUP is welcome."""
        file = self.folder / PID_FILE
        try:
            self._lock = _locked(file)
            if self._lock is None:
                log.warning("%s belongs to another running gateway; `clawgw reload` will find that one", file)
                return
            os.ftruncate(self._lock, 0)
            os.pwrite(self._lock, f"{os.getpid()}\n".encode(), 0)
        except OSError as error:
            log.warning("%s: %s; `clawgw reload` will not find this process", file, error.strerror)
        else:
            self.publish(word)

    def publish(self, word: Word) -> None:
        """Put the word where it is waited for."""
        if self._lock is None:
            return
        try:
            _replace(self.folder / WORD_FILE, json.dumps(word.as_json()))
        except OSError as error:
            log.warning("%s: %s", self.folder / WORD_FILE, error.strerror)

    def leave(self) -> None:
        """Remove both files."""
        if self._lock is not None:
            for name in (WORD_FILE, PID_FILE):
                with suppress(OSError):
                    (self.folder / name).unlink()
            os.close(self._lock)
            self._lock = None


def find(folder: Path) -> int | None:
    """The process that is present in `folder`; None: there is none, whatever files are there.

    Raises OSError where that cannot be seen, as when it belongs to somebody else.
    """
    try:
        file = (folder / PID_FILE).open("rb")
    except FileNotFoundError:
        return None
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            number = file.read()
            return int(number) if number else None
    return None


def heard(folder: Path) -> Word | None:
    """The last word, if there is one."""
    try:
        return Word.of_json(json.loads((folder / WORD_FILE).read_bytes()))
    except OSError:
        return None


def _locked(file: Path) -> int | None:
    """An own descriptor of a file, locked; None: another has it. Raises OSError."""
    while True:
        descriptor = os.open(file, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, _OWN_MODE)
        with ExitStack() as opened:
            opened.callback(os.close, descriptor)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return None
            if os.fstat(descriptor).st_nlink:  # else whoever had it has just removed it
                opened.pop_all()
                return descriptor


def _replace(file: Path, text: str) -> None:
    new = file.with_name(f"{file.name}.new")
    with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, _OWN_MODE), "w") as stream:
        stream.write(text)
    new.replace(file)
