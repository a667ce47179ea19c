"""First stage: plain data, as TOML gives it, into `Settings`. Nothing is converted on the way: `"5"` is no number.

Every mistake is found, not only the first. What is wrong is then left out, so that the second stage can look at all
the rest; `Shaped.dropped` tells it where it need not complain again.
"""

import copy
import functools
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from types import GenericAlias
from typing import Annotated, Any, Literal, TypeVar, get_args, get_origin

import attrs
from attrs import frozen
from cattrs import BaseValidationError, Converter, ForbiddenExtraKeysError
from cattrs.errors import AttributeValidationNote, IterableValidationNote
from cattrs.gen import make_dict_structure_fn

from clawgw.config.mistakes import Mistake, did_you_mean, path_of
from clawgw.config.settings import Settings

T = TypeVar("T")
Path = tuple[str | int, ...]
Hook = Callable[[Any, Any], Any]

_SCALARS: Mapping[type, str] = {
    bool: "true or false",
    str: "a string",
    int: "a whole number",
    float: "a number",
}
_KINDS: Mapping[type, str] = {**_SCALARS, list: "a list", dict: "a table"}
_INT64 = 2**63


class WrongValueError(ValueError):
    """A value of the wrong type or out of its range; the text fits after the key's name and never repeats the value."""


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
    """Data as an instance of one of the classes of `settings`; or None, and every mistake with its path."""
    try:
        return _converter().structure(data, of), ()
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


@functools.cache
def _converter() -> Converter:
    converter = Converter(forbid_extra_keys=True)
    for kind, words in _SCALARS.items():
        converter.register_structure_hook(kind, _scalar(kind, words))
    converter.register_structure_hook(str | float, _string_or_number)
    converter.register_structure_hook_factory(attrs.has, lambda of: _table(of, converter))
    for origin, factory in ((Literal, _literal), (Mapping, _mapping), (tuple, _list), (Annotated, _ruled)):
        converter.register_structure_hook_factory(_has_origin(origin), functools.partial(factory, converter))
    return converter


def _has_origin(origin: Any) -> Callable[[Any], bool]:
    return lambda of: get_origin(of) is origin


def _scalar(kind: type, words: str) -> Hook:
    taken = (float, int) if kind is float else (kind,)

    def hook(value: Any, _: Any) -> Any:
        if type(value) not in taken:
            raise _wrong_kind(words, value)
        if kind in (int, float) and not (math.isfinite(value) and abs(value) < _INT64):
            raise WrongValueError("must be a finite number of at most 64 bits")
        return kind(value)

    return hook


def _string_or_number(value: Any, _: Any) -> Any:
    if type(value) not in (str, float, int):
        raise _wrong_kind("a string or a number", value)
    return _converter().structure(value, type(value))


def _literal(_: Converter, of: Any) -> Hook:
    choices = get_args(of)

    def hook(value: Any, _: Any) -> Any:
        if not isinstance(value, str):
            raise _wrong_kind("a string", value)
        if value not in choices:
            raise WrongValueError(f"must be one of {', '.join(choices)}{did_you_mean(value, choices)}")
        return value

    return hook


def _table(of: type[Any], converter: Converter) -> Hook:
    return _of_kind(dict, make_dict_structure_fn(of, converter))


def _mapping(converter: Converter, of: Any) -> Hook:
    key, value = get_args(of)
    return _of_kind(dict, converter.get_structure_hook(GenericAlias(dict, (key, value))))


def _list(converter: Converter, of: Any) -> Hook:
    structure_list = converter.get_structure_hook(GenericAlias(list, get_args(of)[0]))
    return _of_kind(list, lambda value, _: tuple(structure_list(value, list)))


def _of_kind(kind: type, structure: Hook) -> Hook:
    def hook(value: Any, of: Any) -> Any:
        if not isinstance(value, kind):
            raise _wrong_kind(_KINDS[kind], value)
        return structure(value, of)

    return hook


def _ruled(converter: Converter, of: Any) -> Hook:
    plain, *rules = get_args(of)

    def hook(value: Any, _: Any) -> Any:
        right = converter.structure(value, plain)
        for rule in rules:
            if complaint := rule.complaint(right):
                raise WrongValueError(complaint)
        return right

    return hook


def _wrong_kind(wanted: str, value: Any) -> WrongValueError:
    return WrongValueError(f"must be {wanted}, not {_KINDS.get(type(value), 'a date or time')}")
