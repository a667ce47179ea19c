"""What a running gateway cannot take over from a changed configuration."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from clawgw.config.mistakes import Mistake, path_of
from clawgw.config.snapshot import Snapshot

KEYS: Mapping[str, Sequence[str]] = {
    "server": ("bind", "workers", "tls_cert", "tls_key"),
    "log": ("path", "spool", "fsync", "retention_days", "max_spool_bytes", "mongo", "kafka"),
    "limits": ("store", "redis_url", "redis_timeout_s", "when_down"),
    "cache": ("store", "max_bytes"),
    "metrics": ("bind",),
}
"""By table. Sockets, processes and stores are there from the start; beside the log lies what finds the process."""


ADDRESSES: Mapping[tuple[str, str], str] = {
    ("log", "mongo"): "mongo",
    ("log", "kafka"): "kafka",
    ("limits", "redis_url"): "redis_url",
}
"""Those of them that a variable or a file may change as well, and what a snapshot has made of them."""


def restarts(old: Snapshot, new: Snapshot) -> Iterator[Mistake]:
    """A mistake for each such key that has changed."""
    for table, keys in KEYS.items():
        for key in keys:
            if _settings(old, table, key) != _settings(new, table, key):
                yield Mistake(path_of(table, key), "needs a restart")
            elif _address(old, table, key) != _address(new, table, key):
                yield Mistake(path_of(table, key), "its address has changed, which needs a restart")


def _settings(snapshot: Snapshot, table: str, key: str) -> Any:
    return getattr(getattr(snapshot.settings, table), key)


def _address(snapshot: Snapshot, table: str, key: str) -> Any:
    name = ADDRESSES.get((table, key))
    return name and getattr(snapshot, name)
