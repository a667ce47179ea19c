"""Values from elsewhere over a table of the file: the environment's, the command line's."""

from collections.abc import Mapping, Sequence
from typing import Any, Generic, TypeVar

import attrs
from attrs import frozen

from clawgw.config.mistakes import Mistake
from clawgw.config.shape import structure
from clawgw.config.tables.routes import Defaults
from clawgw.config.tables.server import Server

T = TypeVar("T", Defaults, Server)


@frozen
class Source:
    """A value that wins over the file's, and the variable or option it came from."""

    name: str
    value: Any


@frozen
class Overlaid(Generic[T]):
    """The table with the values over it, and what was wrong with them."""

    table: T
    mistakes: Sequence[Mistake]


def lay_over(table: T, sources: Mapping[str, Source]) -> Overlaid[T]:
    """Each value is checked as if it stood in the file; one that is wrong leaves the table's own."""
    mistakes = list[Mistake]()
    for key, source in sources.items():
        wanted, wrong = structure({key: source.value}, type(table))
        mistakes.extend(Mistake(source.name, message) for _, message in wrong)
        if wanted is not None:
            table = attrs.evolve(table, **{key: getattr(wanted, key)})
    return Overlaid(table, mistakes)
