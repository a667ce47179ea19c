"""What a stream's chunks have in common, so that of most only the text has to be decoded.

One stream's chunks are the same bytes but for what they say, and for a padding that some upstreams add. Where a chunk
has been read in full, a `Shape` is what surrounds its text in the bytes that came and in those that go out. A later
block with the same surroundings can differ in meaning only by what stands between them; and that is decoded, and taken
only where it is a string. So nothing is passed on that is not known to be good JSON, and to mean what it seems to.
Everything else is read in full again.

Padding: https://platform.openai.com/docs/api-reference/chat-streaming (`obfuscation`); Mistral's is `p`.
"""

import re
from collections.abc import Callable, Sequence
from itertools import islice
from operator import itemgetter
from typing import Any

import orjson
from attrs import frozen

from clawgw.wire.codec import Chunk, Passage
from clawgw.wire.json_body import decode_text

_FIELD = re.compile(
    rb'"(?:content|reasoning_content|reasoning|refusal|arguments|text)": ?(?P<said>"(?!")[^"\\]*(?:\\.[^"\\]*)*")'
    rb'|"(?:obfuscation|p)": ?"(?P<padding>[0-9A-Za-z]+)"'
)
"""What may vary: a text that is not empty, with its quotes; a padding. Within a string there is no such name, since its
quotes would have backslashes."""
_KINDS = ["said", "padding"]
_VARYING = (_KINDS, _KINDS[:1])
_NEVER = b"\n\n"
"""Blocks are what lies between these."""


@frozen
class Shape:
    """The chunks of one choice, and of one tool call in it, that only add some text."""

    _head: bytes
    _middle: bytes
    """Between text and padding; `_NEVER` where there is no padding."""
    _tail: bytes
    _template: bytes
    """See `Passage`."""
    _arranged: Callable[[tuple[bytes, bytes]], Any]
    """What fills the template: the text, in some dialects twice, and the padding."""

    def passage(self, blocks: Sequence[bytes], start: int) -> Passage | None:
        """The blocks of this shape from `start` on, up to the first that is not. None: there are none."""
        head, middle, tail = self._head, self._middle, self._tail
        begin, end, padded = len(head), -len(tail), middle is not _NEVER
        texts, fields = [], []
        for block in islice(blocks, start, None):
            if not (block.startswith(head) and block.endswith(tail)):
                break
            said, _, padding = block[begin:end].partition(middle)
            if padding.isalnum() is not padded or not (text := decode_text(said)):
                break
            texts.append(text)
            fields.append((said, padding))
        return Passage(self._template, list(map(self._arranged, fields)), texts) if texts else None


def shape_of(block: bytes, chunk: Chunk) -> Shape | None:
    """The shape of `block`, an event of one line that was read as `chunk`. None: it does more than add some text."""
    if not _adds_text(chunk):
        return None
    around, came = _cut(block)
    around_written, went = _cut(orjson.dumps(chunk.body))
    if [kind for kind, _ in came] not in _VARYING or set(map(_meaning, came)) != set(map(_meaning, went)):
        return None
    head, *middle, tail = around
    template = b"%b".join(piece.replace(b"%", b"%%") for piece in around_written)
    arranged = itemgetter(*(_KINDS.index(kind) for kind, _ in went))
    return Shape(head, middle[0] if middle else _NEVER, tail, template, arranged)


def _adds_text(chunk: Chunk) -> bool:
    """A role, an id, a name and a finish reason come once: the next chunk would not be like one that has them."""
    match chunk.body["choices"]:
        case [
            {
                "finish_reason": None,
                "delta": {"tool_calls": [{"index": _, "function": {"arguments": _, **more}, **call}], **delta},
            }
        ]:
            return not (more or call or "role" in delta)
        case [{"finish_reason": None, "delta": {"role": _} | {"tool_calls": _}}]:
            return False
        case [{"finish_reason": None}]:
            return chunk.commits
        case _:
            return False


def _cut(json: bytes) -> tuple[list[bytes], list[tuple[str, bytes]]]:
    """What lies around the fields, and the fields, each with its kind."""
    around, fields, at = [], [], 0
    for match in _FIELD.finditer(json):
        kind = match.lastgroup or ""
        start, end = match.span(kind)
        around.append(json[at:start])
        fields.append((kind, json[start:end]))
        at = end
    return [*around, json[at:]], fields


def _meaning(field: tuple[str, bytes]) -> tuple[str, Any]:
    kind, value = field
    return kind, orjson.loads(value) if kind == "said" else value
