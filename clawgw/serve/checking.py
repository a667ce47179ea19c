"""What is wrong with stores, as far as that is seen without asking them: for `serve`, a reload and `clawgw check`."""

import os
from collections.abc import Iterator
from pathlib import Path

from clawgw.config.mistakes import ConfigError, Mistake
from clawgw.config.snapshot import Snapshot
from clawgw.config.tables.log import Log
from clawgw.ledger.sinks.remote import check_sinks


def check_stores(snapshot: Snapshot) -> None:
    """Whether their addresses can be used. Raises ConfigError."""
    mistakes = [*_check_redis(snapshot)]
    try:
        check_sinks(snapshot)
    except ConfigError as error:
        mistakes.extend(error.mistakes)
    if mistakes:
        raise ConfigError(mistakes)


def make_folders(log: Log) -> None:
    """The folders of the log, for this user alone where they are new. Raises ConfigError where they cannot be used."""
    folders = {"log.path": Path(log.path).parent, "log.spool": Path(log.spool)}
    problems = {key: (folder, _make(folder)) for key, folder in folders.items()}
    mistakes = [
        Mistake(key, f"{folder.absolute()} {problem}; name another place")
        for key, (folder, problem) in problems.items()
        if problem
    ]
    if mistakes:
        raise ConfigError(mistakes)


def _make(folder: Path) -> str | None:
    """Why it cannot be used, or None."""
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        return f"cannot be made: {error.strerror}"
    return None if os.access(folder, os.W_OK | os.X_OK) else "cannot be written by this user"


def _check_redis(snapshot: Snapshot) -> Iterator[Mistake]:
    if snapshot.redis_url is None:
        return
    # redis-py and all that it imports take a quarter of a second and MiBs: only where they are wanted.
    from clawgw.limits.redis.connection import BadRedisUrl, connection  # noqa: PLC0415 - see above

    try:
        connection(snapshot.redis_url.reveal(), snapshot.settings.limits.redis_timeout_s)
    except BadRedisUrl as error:
        yield Mistake("limits.redis_url", str(error))
