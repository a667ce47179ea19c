"""First stage: plain data, as TOML gives it, into `Settings`.

Every mistake is found, not only the first. What is wrong is then left out, so that the second stage can look at all
the rest; `Shaped.dropped` tells it where it need not complain again.
"""

import copy
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, TypeVar

import attrs
from attrs import frozen
from cattrs import BaseValidationError, ForbiddenExtraKeysError
from cattrs.errors import AttributeValidationNote, IterableValidationNote

from clawgw.config.converter import WrongValueError, converter
from clawgw.config.mistakes import Mistake, did_you_mean, path_of
from clawgw.config.settings import Settings

T = TypeVar("T")
Path = tuple[str | int, ...]


@frozen
class Shaped:
    """Settings made of whatever was right, what was wrong, and the paths that were left out for it."""

    settings: Settings
    mistakes: Sequence[Mistake]
    dropped: Sequence[str]


def shape(data: Mapping[str, Any]) -> Shaped:
    """Check a whole file's data. Never raises, whatever the data."""
    rest = copy.deepcopy(dict(data))
    settings, found = structure(rest, Settings)
    wrong, dropped = found, set[Path]()
    while settings is None:
        dropped |= _leave_out(rest, (path for path, _ in wrong))
        settings, wrong = structure(rest, Settings)
    return Shaped(
        settings, [Mistake(path_of(*path), message) for path, message in found], [path_of(*path) for path in dropped]
    )


def structure(data: Any, of: type[T]) -> tuple[T | None, Sequence[tuple[Path, str]]]:
    """Data as an instance of one of the classes of `tables`; or None, and every mistake with its path."""
    try:
        return converter().structure(data, of), ()
    except (BaseValidationError, WrongValueError) as error:
        return None, tuple(_mistakes(error, ()))


def _leave_out(data: dict[str, Any], paths: Iterator[Path]) -> set[Path]:
    places = {_innermost_key(data, path) for path in paths}
    for place in sorted(places, key=len, reverse=True):
        table: Any = data
        for part in place[:-1]:
            table = table[part]
        del table[place[-1]]
    return places


def _innermost_key(data: Any, path: Path) -> Path:
    """As much of a path as leads to a table's key that is there: an element of a list goes with its list."""
    place: Path = ()
    for depth, part in enumerate(path, 1):
        if isinstance(data, dict):
            if part not in data:
                break
            place = path[:depth]
        data = data[part]
    return place


def _mistakes(error: BaseException, path: Path) -> Iterator[tuple[Path, str]]:
    """The leaves of cattrs' tree of exceptions, each with its path."""
    match error:
        case BaseValidationError():
            for inner in error.exceptions:
                yield from _mistakes(inner, (*path, *_place(inner)))
        case ForbiddenExtraKeysError():
            known = [attribute.name for attribute in attrs.fields(error.cl)]
            for key in sorted(error.extra_fields):
                yield (*path, key), f"unknown key{did_you_mean(key, known)}"
        case KeyError():
            yield path, "missing"
        case _:
            yield path, str(error)


def _place(error: BaseException) -> Path:
    """Where cattrs noted that a value was when it raised."""
    match next(iter(getattr(error, "__notes__", ())), None):
        case AttributeValidationNote() as note:
            return (note.name,)
        case IterableValidationNote() as note:
            return (note.index,)
        case _:
            return ()
