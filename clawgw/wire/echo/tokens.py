"""What every answer of the built-in echo is made of: tokens, their limits, their count, a name.

A token is a piece of at most four characters that are no white space, with one white space character before it, or a
white space character alone. That is about the size of a real one, and the pieces joined are the text.
"""

import hashlib
import itertools
import re
from collections.abc import Iterable, Sequence
from typing import Any

import orjson
from attrs import frozen

from clawgw.wire.events import Event
from clawgw.wire.usage import Usage

MAX_TOKENS = 131_072
"""The most that one answer has, over all its choices."""

_TOKEN = re.compile(r"\s?\S{1,4}|\s")


@frozen
class EchoAnswer:
    """A whole answer, the same as the events of a stream, and the tokens that each event brings.

    `events` can be gone through once. `usage.completion` is their sum.
    """

    body: dict[str, Any]
    usage: Usage
    events: Iterable[tuple[Event, int]] = ()


@frozen
class Said:
    """The tokens of one choice, and whether they end by themselves ("stop") or at a limit ("length")."""

    tokens: Sequence[str]
    finish_reason: str


def split_tokens(text: str, most: int = MAX_TOKENS) -> list[str]:
    """The first `most` tokens of a text."""
    return [match[0] for match in itertools.islice(_TOKEN.finditer(text), most)]


def count_tokens(text: str) -> int:
    """How many tokens a text has."""
    return sum(1 for _ in _TOKEN.finditer(text))


def say(text: str, stop: str | Sequence[str] | None, most: int) -> Said:
    """The text up to the first of the stop sequences, in at most so many tokens."""
    stops = [stop] if isinstance(stop, str) else stop or []
    ends = [text.index(mark) for mark in stops if mark and mark in text]
    tokens = split_tokens(text[: min(ends, default=len(text))], most + 1)
    return Said(tokens[:most], "length" if len(tokens) > most else "stop")


def usage_of(prompt: int, completion: int, reasoning: int = 0) -> Usage:
    """Usage, with OpenAI's object of it."""
    body = {
        "prompt_tokens": prompt,
        "completion_tokens": completion,
        "total_tokens": prompt + completion,
        "prompt_tokens_details": {"cached_tokens": 0},
        "completion_tokens_details": {"reasoning_tokens": reasoning},
    }
    return Usage(prompt, completion, reasoning=reasoning, body=body)


def name_of(request_body: dict[str, Any]) -> str:
    """24 hex digits that are the same for the same request."""
    return hashlib.sha256(orjson.dumps(request_body, option=orjson.OPT_SORT_KEYS)).hexdigest()[:24]
