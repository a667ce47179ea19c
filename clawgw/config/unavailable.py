"""Keys that are checked like all others but do not act in this version. One that is set is worth a warning.

A key that begins to act loses its row.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from attrs import frozen

from clawgw.config.mistakes import path_of


@frozen
class Row:
    """One key, `*` standing for any name on the way; a value among `harmless` is what happens anyway."""

    path: str
    harmless: Sequence[object] = ()


IDLE = (
    Row("providers.*.api", harmless=("auto", "chat")),
    Row("websocket"),
)


def warnings(data: Mapping[str, Any]) -> Iterator[str]:
    """The keys of a file of the right shape that are set for nothing."""
    for row in IDLE:
        for path, value in _matches(data, row.path.split("."), ()):
            if value not in row.harmless:
                yield f"{path_of(*path)}: has no effect in this version"


def _matches(value: Any, pattern: Sequence[str], path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Any]]:
    if not pattern:
        yield path, value
    else:
        for name in value if pattern[0] == "*" else {pattern[0]} & value.keys():
            yield from _matches(value[name], pattern[1:], (*path, name))
