"""JSON from an upstream: decoded into an object or refused, and read without trusting its shape.

The readers never raise: what is missing or of another type is the empty value, because an upstream's odd field must not
cost the client its answer. `NaN` and lone surrogates are refused by the decoder itself.
"""

from typing import Any

import orjson

from clawgw.wire.codec import Failure, Kind, WireError
from clawgw.wire.depth import is_deeper_than

MAX_DEPTH = 128
"""Arrays and objects inside one another; what is added around them keeps the encoder's own limit away."""


def decode_json(body: bytes | str) -> Any:
    """What `body` holds, at most `MAX_DEPTH` deep. Raises `WireError` of kind INVALID."""
    try:
        value = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise invalid("The upstream's answer is not JSON.") from error
    if is_deeper_than(MAX_DEPTH, body if isinstance(body, bytes) else body.encode(), value):
        raise invalid(f"The upstream's JSON is nested more than {MAX_DEPTH} levels deep.")
    return value


def decode_json_object(body: bytes) -> dict[str, Any]:
    """The object that `body` is. Raises `WireError` of kind INVALID."""
    value = decode_json(body)
    if not isinstance(value, dict):
        raise invalid("The upstream's answer is not a JSON object.")
    return value


def decode_text(json: bytes) -> str:
    """The text of a JSON string; empty where it is none."""
    try:
        text = orjson.loads(json)
    except orjson.JSONDecodeError:
        return ""
    return text if isinstance(text, str) else ""


def invalid(message: str) -> WireError:
    """An answer that is not what the format says."""
    return WireError(Failure(Kind.INVALID, message))


def get_object(source: dict[str, Any], key: str) -> dict[str, Any]:
    """The object at `key`, or an empty one."""
    value = source.get(key)
    return value if isinstance(value, dict) else {}


def get_objects(source: dict[str, Any], key: str) -> list[dict[str, Any]]:
    """The objects in the list at `key`; what is no object is left out."""
    value = source.get(key)
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def get_text(source: dict[str, Any], key: str) -> str:
    """The string at `key`, or an empty one."""
    value = source.get(key)
    return value if isinstance(value, str) else ""


def get_counts(source: dict[str, Any], *keys: str) -> list[int]:
    """What `get_count` gives for each of several keys."""
    counts = []
    for key in keys:
        value = source.get(key)
        counts.append(value if type(value) is int and value > 0 else 0)
    return counts


def get_count(source: dict[str, Any], key: str) -> int:
    """The whole number at `key` if it is not negative, or 0."""
    value = source.get(key)
    return value if type(value) is int and value > 0 else 0
