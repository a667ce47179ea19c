"""The file's text into plain data."""

import re
import tomllib
from typing import Any

from clawgw.config.mistakes import ConfigError, Mistake

MAX_DEPTH = 32
"""How many tables and lists may lie in each other; more is a mistake, and would be trouble for whoever walks them."""

_POSITION = re.compile(r" \(at line (\d+), column (\d+)\)$")


def parse(text: str, file_name: str) -> dict[str, Any]:
    """TOML 1.0. Raises ConfigError with one mistake, at `file_name:LINE:COLUMN` where that is known."""
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError([_syntax_mistake(str(error), file_name)]) from None
    except (ValueError, RecursionError):
        raise ConfigError([Mistake(file_name, "holds a number that is too long, or too many levels")]) from None
    if _is_deep(data):
        raise ConfigError([Mistake(file_name, f"has more than {MAX_DEPTH} levels")])
    return data


def _syntax_mistake(message: str, file_name: str) -> Mistake:
    position = _POSITION.search(message)
    if position is None:
        return Mistake(file_name, message)
    return Mistake(f"{file_name}:{position[1]}:{position[2]}", message[: position.start()])


def _is_deep(data: Any) -> bool:
    level = [data]
    for _ in range(MAX_DEPTH):
        level = [inner for outer in level for inner in _inside(outer)]
    return bool(level)


def _inside(value: Any) -> list[Any]:
    if isinstance(value, dict):
        return list(value.values())
    return value if isinstance(value, list) else []
