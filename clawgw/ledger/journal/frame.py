"""Frames: how a record lies in a segment, so that no half or damaged one is ever taken for a record. Pure.

A frame is a header of 12 bytes, little-endian, and a payload, which is JSON:

    3 bytes  MAGIC, which is not UTF-8 and so in no payload: where a frame may begin
    1 byte   what the payload is: `i` an intent, `f` a final record
    4 bytes  the payload's length
    4 bytes  CRC-32 of kind, length and payload
"""

import struct
from collections.abc import Mapping
from enum import Enum
from itertools import islice
from typing import Any
from zlib import crc32

import orjson
from attrs import frozen

from clawgw.config.values import MAX_BODY_BYTES
from clawgw.ledger.document import joined

MAGIC = b"\xffcg"
_HEADER = struct.Struct("<3s5sI")
_CHECKED = struct.Struct("<cI")
MAX_FRAME = 16 * 1024
"""What no frame without bodies is larger than. It holds a record with all that a caller may say of itself."""
_MAX_PAYLOAD = MAX_FRAME - _HEADER.size
_LARGEST_PAYLOAD = MAX_FRAME + 2 * 2 * MAX_BODY_BYTES
"""Both bodies are JSON within JSON, where a byte may take two."""
_CUTS = (256, 64, 32)


class Kind(bytes, Enum):
    """What a payload is. An intent is a record whose outcome is unknown, and what is left where no final one came."""

    INTENT = b"i"
    FINAL = b"f"


@frozen
class Frame:
    """A frame that was read; `end` is where the next one begins."""

    kind: Kind
    payload: bytes
    end: int


_KINDS = {kind.value: kind for kind in Kind}


def encode(kind: Kind, document: bytes, texts: bytes | None = None) -> bytes:
    """A frame of at most `MAX_FRAME` bytes for a JSON object; where that is larger, its texts and lists are cut.

    `texts` are bodies: an object with more members of the document, for which the frame gets larger.
    """
    payload = document if len(document) <= _MAX_PAYLOAD else _fitted(orjson.loads(document))
    if texts is not None:
        payload = joined(payload, texts)
    checked = _CHECKED.pack(kind, len(payload))
    return _HEADER.pack(MAGIC, checked, crc32(checked + payload)) + payload


def decode(data: bytes, at: int) -> Frame | None:
    """The frame that begins there; None: there is no whole and undamaged one."""
    size = reach(data, at)
    if not 0 < size <= len(data) - at:
        return None
    _, checked, checksum = _HEADER.unpack_from(data, at)
    payload = data[at + _HEADER.size : at + size]
    if crc32(checked + payload) != checksum:
        return None
    kind, _ = _CHECKED.unpack(checked)
    return Frame(_KINDS[kind], payload, at + size)


def reach(data: bytes, at: int) -> int:
    """How many bytes it takes to tell whether a frame begins there; 0: none does."""
    if len(data) - at < _HEADER.size:
        return _HEADER.size
    magic, checked, _ = _HEADER.unpack_from(data, at)
    kind, length = _CHECKED.unpack(checked)
    plausible = magic == MAGIC and kind in _KINDS and length <= _LARGEST_PAYLOAD
    return _HEADER.size + length if plausible else 0


def _fitted(document: Mapping[str, Any]) -> bytes:
    payload = b""
    for most in _CUTS:
        payload = orjson.dumps(_cut(document, most))
        if len(payload) <= _MAX_PAYLOAD:
            break
    return payload


def _cut(fields: Mapping[str, Any], most: int) -> dict[str, Any]:
    """The same fields: texts of so many characters, an eighth as many attempts, labels and pieces of metadata."""
    return {name: _cut_value(value, most) for name, value in fields.items()}


def _cut_value(value: Any, most: int) -> Any:
    if isinstance(value, str):
        return value[:most]
    if isinstance(value, list):
        return [_cut(item, most) for item in value[: most // 8]]
    if isinstance(value, dict):
        return {name[:most]: text[:most] for name, text in islice(value.items(), most // 8)}
    return value
