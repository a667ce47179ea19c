"""What the environment says: the `LLM_` variables for `[defaults]`, and files of `NAME=VALUE` lines."""

import re
from collections.abc import Callable, Mapping

from clawgw.config.mistakes import ConfigError, Mistake
from clawgw.config.overlay import Source
from clawgw.config.sources import Sources


def _number(text: str) -> float | str:
    try:
        return float(text)
    except ValueError:
        return text


def _whole_number(text: str) -> int | str:
    return int(text) if re.fullmatch(r"[+-]?[0-9]{1,18}", text) else text


def _comma_list(text: str) -> list[str]:
    return [name.strip() for name in text.split(",") if name.strip()]


VARIABLES: Mapping[str, tuple[str, Callable[[str], object]]] = {
    "provider": ("LLM_PROVIDER", str),
    "fallback_providers": ("LLM_FALLBACK_PROVIDERS", _comma_list),
    "temperature": ("LLM_TEMPERATURE", _number),
    "max_tokens": ("LLM_MAX_TOKENS", _whole_number),
}
"""The key of `[defaults]` that each variable fills, and how its text is read. What cannot be read stays text."""

_NAME = re.compile(r"(?:export\s+)?([A-Za-z_][A-Za-z0-9_]*)\s*=\s*(.*)")
_SINGLE_QUOTED = re.compile(r"'([^']*)'\s*(?:#.*)?")
_DOUBLE_QUOTED = re.compile(r'"((?:[^"\\]|\\.)*)"\s*(?:#.*)?')
_COMMENT = re.compile(r"(?:^|\s)#.*")
_ESCAPE = re.compile(r"\\(.)")
_ESCAPES = {"n": "\n", "r": "\r", "t": "\t", '"': '"', "\\": "\\", "$": "$"}


def defaults_from(sources: Sources) -> dict[str, Source]:
    """What the variables say of each key of `[defaults]`; one that is empty says nothing."""
    texts = {key: (name, read, sources.variable(name)) for key, (name, read) in VARIABLES.items()}
    return {key: Source(name, read(text)) for key, (name, read, text) in texts.items() if text is not None}


def parse_env_file(text: str, file_name: str) -> dict[str, str]:
    """`NAME=VALUE` lines: `#` comments, an optional `export`, single quotes (as is), double quotes (with escapes).

    Nothing is expanded. Raises ConfigError with every line that is something else, at `file_name:LINE`.
    """
    variables, mistakes = dict[str, str](), []
    for number, line in enumerate(text.splitlines(), 1):
        stripped = line.strip()
        if not stripped or stripped.startswith("#"):
            continue
        pair = _parse_line(stripped)
        if pair is None:
            mistakes.append(Mistake(f"{file_name}:{number}", "must be NAME=VALUE"))
        else:
            variables.update([pair])
    if mistakes:
        raise ConfigError(mistakes)
    return variables


def _parse_line(line: str) -> tuple[str, str] | None:
    match = _NAME.fullmatch(line)
    if match is None:
        return None
    name, value = match.groups()
    if value[:1] not in ("'", '"'):
        return name, _COMMENT.sub("", value).strip()
    if single := _SINGLE_QUOTED.fullmatch(value):
        return name, single[1]
    if double := _DOUBLE_QUOTED.fullmatch(value):
        return name, _ESCAPE.sub(lambda escape: _ESCAPES.get(escape[1], escape[0]), double[1])
    return None
