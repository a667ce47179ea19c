"""What a running gateway cannot take over from a changed configuration."""

from collections.abc import Iterator, Mapping, Sequence

from clawgw.config.mistakes import Mistake, path_of
from clawgw.config.settings import Settings

KEYS: Mapping[str, Sequence[str]] = {
    "server": ("bind", "workers", "tls_cert", "tls_key"),
    "log": ("path", "spool", "fsync", "retention_days", "max_spool_bytes", "mongo", "kafka"),
    "limits": ("store", "redis_url", "redis_timeout_s", "when_down"),
    "cache": ("store", "max_bytes"),
}
"""By table. Sockets, processes and stores are there from the start; beside the log lies what finds the process."""


def restarts(old: Settings, new: Settings) -> Iterator[Mistake]:
    """A mistake for each such key that has changed."""
    for table, keys in KEYS.items():
        for key in keys:
            if getattr(getattr(old, table), key) != getattr(getattr(new, table), key):
                yield Mistake(path_of(table, key), "needs a restart")
