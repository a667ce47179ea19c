"""JSON from an upstream: decoded into an object or refused, and read without trusting its shape.

The readers never raise: what is missing or of another type is the empty value, because an upstream's odd field must not
cost the client its answer. `NaN` and lone surrogates are refused by the decoder itself.
"""

from collections.abc import Sequence
from itertools import takewhile
from typing import Any

import orjson

from clawgw.wire.depth import is_deeper_than
from clawgw.wire.failure import Failure, Kind, WireError

MAX_DEPTH = 128
"""Arrays and objects inside one another; what is added around them keeps the encoder's own limit away."""

_NUMBERS = frozenset({int, float})
_MOST = 2**53
"""What is more is no count, and several of these still add up to a number that the encoder takes."""


def decode_json(body: bytes) -> Any:
    """What `body` holds, at most `MAX_DEPTH` deep. Raises `WireError` of kind INVALID."""
    try:
        value = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise invalid("The upstream's answer is not JSON.") from error
    if is_deeper_than(MAX_DEPTH, body, value):
        raise invalid(f"The upstream's JSON is nested more than {MAX_DEPTH} levels deep.")
    return value


def decode_json_object(body: bytes) -> dict[str, Any]:
    """The object that `body` is. Raises `WireError` of kind INVALID."""
    value = decode_json(body)
    if type(value) is not dict:
        raise invalid("The upstream's answer is not a JSON object.")
    return value


def decode_texts(strings: Sequence[bytes]) -> list[str]:
    """The texts of JSON strings, each in one line, up to the first that is none or empty."""
    if len(strings) != 1:
        return _decode_lines(strings)
    text = _decode_text(strings[0])
    return [text] if text else []


def _decode_lines(strings: Sequence[bytes]) -> list[str]:
    """All at once: as no string goes on beyond the end of its line, each is among the others what it is by itself."""
    lines = b",\n".join(strings)
    try:
        texts: list[Any] = orjson.loads(b"[%b]" % lines)
    except orjson.JSONDecodeError:
        texts = []
    good = len(texts) == len(strings) == lines.count(b"\n") + 1 and all(texts) and set(map(type, texts)) == {str}
    return texts if good else list(takewhile(bool, map(_decode_text, strings)))


def _decode_text(string: bytes) -> str:
    try:
        text = orjson.loads(string)
    except orjson.JSONDecodeError:
        return ""
    return text if type(text) is str and b"\n" not in string else ""


def invalid(message: str) -> WireError:
    """An answer that is not what the format says."""
    return WireError(Failure(Kind.INVALID, message))


def get_object(source: dict[str, Any], key: str) -> dict[str, Any]:
    """The object at `key`, or an empty one."""
    value = source.get(key)
    return value if type(value) is dict else {}


def get_objects(source: dict[str, Any], key: str) -> Sequence[dict[str, Any]]:
    """The objects in the list at `key`; what is no object is left out."""
    value = source.get(key)
    if type(value) is not list:
        return []
    for item in value:
        if type(item) is not dict:
            return [item for item in value if type(item) is dict]
    return value


def get_text(source: dict[str, Any], key: str) -> str:
    """The string at `key`, or an empty one."""
    value = source.get(key)
    return value if type(value) is str else ""


def get_counts(source: dict[str, Any]) -> dict[str, int]:
    """All whole numbers above 0, also those written with a point."""
    return {
        key: int(value)
        for key, value in source.items()
        if type(value) in _NUMBERS and 0 < value <= _MOST and value % 1 == 0
    }


def get_count(source: dict[str, Any], key: str) -> int:
    """The whole number at `key`, also if written with a point, or 0 where it is negative or none."""
    value: Any = source.get(key)
    return int(value) if type(value) in _NUMBERS and 0 < value <= _MOST and value % 1 == 0 else 0
