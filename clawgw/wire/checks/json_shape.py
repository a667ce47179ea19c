"""Shapes of JSON values: small checks that are built once from data and run on every request.

A check takes a value as the decoder gave it and returns, or raises `Misfit`. Checks nest, so a request's shape reads
like its documentation. The path to a misfit is put together only while one unwinds; a value that fits pays nothing for
it. Types are the JSON types exactly: `true` is no integer, `1.0` is no integer, `"1"` is no number.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

Check = Callable[[Any], None]
"""Returns where the value fits, raises `Misfit` where it does not."""

ForeignKey = Callable[[str, Any], None]
"""Looks at a key that a shape does not know, and its value; raises `Misfit` where it may not be there."""


class Misfit(Exception):
    """A value that does not fit. `message` continues a sentence that begins with the value's name."""

    def __init__(self, message: str, *path: str | int) -> None:
        super().__init__(message)
        self.message = message
        self._path: list[str | int] = list(reversed(path))

    def within(self, step: str | int) -> None:
        """The misfit lies inside the member or element `step`."""
        self._path.append(step)

    @property
    def path(self) -> str:
        """Where it is, as OpenAI writes `param`: `messages[0].content[1].image_url.url`; empty at the root."""
        steps = (f"[{step}]" if isinstance(step, int) else f".{step}" for step in reversed(self._path))
        return "".join(steps).removeprefix(".")


def anything(_value: Any) -> None:
    """Fits every value."""


def boolean(value: Any) -> None:
    """`true` or `false`."""
    if type(value) is not bool:
        raise Misfit("must be true or false")


def integer(least: int, most: int) -> Check:
    """A whole number from `least` to `most`."""

    def check(value: Any) -> None:
        if type(value) is not int or not least <= value <= most:
            raise Misfit(f"must be an integer from {least} to {most}")

    return check


def number(least: float, most: float) -> Check:
    """A number from `least` to `most`."""

    def check(value: Any) -> None:
        if type(value) not in (int, float) or not least <= value <= most:
            raise Misfit(f"must be a number from {least:g} to {most:g}")

    return check


def text(value: Any) -> None:
    """Any string."""
    if type(value) is not str:
        raise Misfit("must be a string")


def short_text(most: int, least: int = 0) -> Check:
    """A string of `least` to `most` characters."""

    def check(value: Any) -> None:
        if type(value) is not str or not least <= len(value) <= most:
            raise Misfit(f"must be a string of {least} to {most} characters")

    return check


def matching(pattern: str, meaning: str) -> Check:
    """A string that matches the whole pattern; `meaning` says it in words."""
    fits = re.compile(pattern).fullmatch

    def check(value: Any) -> None:
        if type(value) is not str or not fits(value):
            raise Misfit(f"must be {meaning}")

    return check


def one_of(*values: str) -> Check:
    """One of a few strings."""
    meaning = f"must be one of {', '.join(values)}"

    def check(value: Any) -> None:
        if type(value) is not str or value not in values:
            raise Misfit(meaning)

    return check


def either(meaning: str, cases: Mapping[type, Check]) -> Check:
    """A value of one of several JSON types, each with a check of its own; `meaning` names them all."""

    def check(value: Any) -> None:
        kind = type(value)
        if kind not in cases:
            raise Misfit(f"must be {meaning}")
        cases[kind](value)

    return check


def array_of(element: Check, *, may_be_empty: bool = True, most: int | None = None) -> Check:
    """An array of at most `most` elements."""

    def check(value: Any) -> None:
        if type(value) is not list:
            raise Misfit("must be an array")
        if not value and not may_be_empty:
            raise Misfit("must not be empty")
        if most is not None and len(value) > most:
            raise Misfit(f"must have at most {most} elements")
        index = 0
        try:
            for index, item in enumerate(value):  # noqa: B007  # the handler names the element that failed
                element(item)
        except Misfit as misfit:
            misfit.within(index)
            raise

    return check


def object_of(
    members: Mapping[str, Check], *, required: Sequence[str] = (), foreign: ForeignKey | None = None
) -> Check:
    """An object whose known members fit. `null` is the same as absent; unknown members are `foreign`'s, or free."""

    def check(value: Any) -> None:
        if type(value) is not dict:
            raise Misfit("must be an object")
        for name in required:
            if name not in value or value[name] is None:
                raise Misfit("is required", name)
        name = ""
        try:
            for name, member in value.items():
                if name in members:
                    if member is not None:
                        members[name](member)
                elif foreign is not None:
                    foreign(name, member)
        except Misfit as misfit:
            misfit.within(name)
            raise

    return check


def map_of(element: Check, *, most: int, longest_key: int) -> Check:
    """An object of at most `most` pairs with the caller's own keys."""

    def check(value: Any) -> None:
        if type(value) is not dict:
            raise Misfit("must be an object")
        if len(value) > most:
            raise Misfit(f"must have at most {most} keys")
        if any(len(key) > longest_key for key in value):
            raise Misfit(f"must have keys of at most {longest_key} characters")
        for key, item in value.items():
            try:
                element(item)
            except Misfit as misfit:
                misfit.within(key)
                raise

    return check


def tagged(
    tag: str, cases: Mapping[str, Check], *, default: str | None = None, other: Check | None = anything
) -> Check:
    """An object whose member `tag` says which case it is. `other` checks an object of no case; None refuses it."""
    meaning = "must be a string" if other else f"must be one of {', '.join(cases)}"

    def check(value: Any) -> None:
        if type(value) is not dict:
            raise Misfit("must be an object")
        name = value.get(tag, default)
        case = cases.get(name, other) if type(name) is str else None
        if case is None:
            raise Misfit(meaning, tag)
        case(value)

    return check
