"""How a single value becomes what its type says: exactly, or with words for what is wrong. `"5"` is no number."""

import functools
import math
from collections.abc import Callable, Mapping
from types import GenericAlias
from typing import Annotated, Any, Literal, get_args, get_origin

import attrs
from cattrs import Converter
from cattrs.gen import make_dict_structure_fn

from clawgw.config.mistakes import did_you_mean

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


@functools.cache
def converter() -> Converter:
    """The one converter; its errors are cattrs' tree of exceptions, `WrongValueError` at the leaves."""
    made = Converter(forbid_extra_keys=True)
    for kind, words in _SCALARS.items():
        made.register_structure_hook(kind, _scalar(kind, words))
    made.register_structure_hook(str | float, _string_or_number)
    made.register_structure_hook_factory(attrs.has, lambda of: _table(of, made))
    for origin, factory in ((Literal, _literal), (Mapping, _mapping), (tuple, _list), (Annotated, _ruled)):
        made.register_structure_hook_factory(_has_origin(origin), functools.partial(factory, made))
    return made


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
    return converter().structure(value, type(value))


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
