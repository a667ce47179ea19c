"""What a value must be beyond its type, as data beside the type: `Annotated[int, Range(least=1)]`.

A rule says what is wrong in words that fit after a key's name, and never repeats the value. It also says itself in
keywords of JSON Schema 2020-12, for editors (`config.schema`).
"""

import re
from collections.abc import Callable, Mapping
from typing import Any, Protocol

from attrs import field, frozen


class Rule(Protocol):
    """One condition on a value of the right type."""

    def complaint(self, value: Any) -> str | None:
        """What is wrong, or None."""

    def keywords(self) -> Mapping[str, Any]:
        """The same for editors."""


@frozen
class Range:
    """A number's bounds: at least `least` or more than `above`, and at most `most`."""

    least: float | None = None
    above: float | None = None
    most: float | None = None

    def complaint(self, value: float) -> str | None:
        """Which bound is broken."""
        if self.least is not None and value < self.least:
            return f"must be at least {self.least:g}"
        if self.above is not None and value <= self.above:
            return f"must be more than {self.above:g}"
        if self.most is not None and value > self.most:
            return f"must be at most {self.most:g}"
        return None

    def keywords(self) -> Mapping[str, float]:
        """The bounds there are."""
        bounds = {"minimum": self.least, "exclusiveMinimum": self.above, "maximum": self.most}
        return {keyword: bound for keyword, bound in bounds.items() if bound is not None}


def _compile(regex: str) -> re.Pattern[str]:
    return re.compile(regex)


@frozen
class Pattern:
    """A string that fits a regular expression as a whole; `meaning` says it in words."""

    regex: re.Pattern[str] = field(converter=_compile)
    meaning: str

    def complaint(self, value: str) -> str | None:
        """The meaning, where the string does not fit."""
        return None if self.regex.fullmatch(value) else f"must be {self.meaning}"

    def keywords(self) -> Mapping[str, str]:
        """The whole string's pattern, and what it means."""
        return {"pattern": _whole(self.regex.pattern), "description": self.meaning}


@frozen
class NotEmpty:
    """A list with at least one element."""

    of: str

    def complaint(self, value: tuple[Any, ...]) -> str | None:
        """What is missing."""
        return None if value else f"must name at least one {self.of}"

    def keywords(self) -> Mapping[str, int]:
        """One, or more."""
        return {"minItems": 1}


@frozen
class Parses:
    """A value that a parser takes; the parser's ValueError says what is wrong.

    `near` are rules that say nearly the same to editors: they hold for everything that the parser takes.
    """

    parse: Callable[[Any], object]
    near: tuple[Rule, ...] = ()

    def complaint(self, value: Any) -> str | None:
        """The parser's own words."""
        try:
            self.parse(value)
        except ValueError as error:
            return str(error)
        return None

    def keywords(self) -> Mapping[str, Any]:
        """Those of the rules that are near."""
        return {keyword: value for rule in self.near for keyword, value in rule.keywords().items()}


@frozen
class NoneOf:
    """A name that is not among some, whatever its case; `meaning` says what is wanted."""

    names: frozenset[str]
    meaning: str

    def complaint(self, value: str) -> str | None:
        """The meaning, where the name is taken."""
        return f"must be {self.meaning}" if value.lower() in self.names else None

    def keywords(self) -> Mapping[str, Any]:
        """Neither of the names in any case, for which patterns of JSON Schema have no flag."""
        names = ("".join(map(_in_any_case, name)) for name in sorted(self.names))
        return {"not": {"pattern": _whole("|".join(names))}}


def _whole(regex: str) -> str:
    """The pattern of JSON Schema, which looks anywhere in a string, for a string that fits as a whole."""
    return f"^(?:{regex})$"


def _in_any_case(character: str) -> str:
    return f"[{character.upper()}{character}]" if character.isalpha() else character
