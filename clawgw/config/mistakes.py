"""What is wrong with a configuration: a list of places, each with a message that says what to do.

A message never holds a value that may be a secret; it names keys, variables and files.
"""

import json
import re
from collections.abc import Iterable
from difflib import get_close_matches

from attrs import frozen

_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")


@frozen
class Mistake:
    """One mistake; `path` is a key's full name (`routes.fast.targets[0]`), a variable, an option or a file."""

    path: str
    message: str

    def __str__(self) -> str:
        return f"{self.path}: {self.message}"


class ConfigError(Exception):
    """The configuration cannot be used; `mistakes` holds all that is wrong with it."""

    def __init__(self, mistakes: Iterable[Mistake]) -> None:
        self.mistakes = tuple(mistakes)
        super().__init__("\n".join(map(str, self.mistakes)))


def path_of(*parts: str | int) -> str:
    """Keys and list positions as TOML would write them: `routes."gpt-6*".targets[0]`."""
    path = ""
    for part in parts:
        if isinstance(part, int):
            path += f"[{part}]"
        else:
            path += f".{_quoted(part)}" if path else _quoted(part)
    return path


def is_within(path: str, outer: str) -> bool:
    """Whether `path` is `outer` or lies under it."""
    return path == outer or path.startswith((f"{outer}.", f"{outer}["))


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """`, did you mean X?` where one of the known names is close, else nothing."""
    close = get_close_matches(name, sorted(known), n=1)
    return f", did you mean {close[0]}?" if close else ""


def _quoted(key: str) -> str:
    return key if _BARE_KEY.fullmatch(key) else json.dumps(key, ensure_ascii=False)
