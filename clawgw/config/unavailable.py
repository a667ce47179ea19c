"""Keys that are checked like all others but do not act in this version. A key that begins to act loses its row.

A key that guards something is refused: whoever wrote it would believe to be protected. Any other is served without,
and a warning says so.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from attrs import frozen

from clawgw.config.mistakes import Mistake, path_of


@frozen
class Row:
    """One key, `*` standing for any name on the way; a value among `harmless` is what happens anyway."""

    path: str
    harmless: Sequence[object] = ()


REFUSED = (Row("policies.quota"),)
IDLE = (
    Row("providers.*.api", harmless=("auto", "chat")),
    Row("cache"),
    Row("websocket"),
    Row("metrics.bind", harmless=("",)),
    Row("log.spool"),
    Row("log.fsync"),
    Row("log.bodies"),
    Row("log.retention_days"),
    Row("log.max_spool_bytes"),
    Row("log.mongo"),
    Row("log.kafka"),
)


def refusals(data: Mapping[str, Any]) -> Iterator[Mistake]:
    """The keys of a file that guard something this version does not guard."""
    return (Mistake(path, "not available in this version") for path in _set(data, REFUSED))


def warnings(data: Mapping[str, Any]) -> Iterator[str]:
    """The keys of a file that are set for nothing."""
    return (f"{path}: has no effect in this version" for path in _set(data, IDLE))


def _set(data: Mapping[str, Any], rows: Sequence[Row]) -> Iterator[str]:
    for row in rows:
        for path, value in _matches(data, row.path.split("."), ()):
            if value not in row.harmless:
                yield path_of(*path)


def _matches(value: Any, pattern: Sequence[str], path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Any]]:
    if not pattern:
        yield path, value
    elif isinstance(value, dict):
        for name in value if pattern[0] == "*" else {pattern[0]} & value.keys():
            yield from _matches(value[name], pattern[1:], (*path, name))
