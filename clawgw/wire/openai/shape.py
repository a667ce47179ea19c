"""What a stream's chunks have in common, so that of most only the text has to be decoded.

One stream's chunks are the same bytes but for what they say, and for a padding that some upstreams add. Where a chunk
has been read in full, a `Shape` is what surrounds its text in the bytes that came and in those that go out. A later
block with the same surroundings can differ in meaning only by what stands between them; and that is decoded, and taken
only where it is a string. So nothing is passed on that is not known to be good JSON, and to mean what it seems to.
Everything else is read in full again.

Padding: https://platform.openai.com/docs/api-reference/chat-streaming (`obfuscation`); Mistral's is `p`.
"""

import re
from collections.abc import Sequence
from itertools import islice
from typing import Any

import orjson

from clawgw.fact import fact
from clawgw.wire.events import Chunk, Passage
from clawgw.wire.json_body import decode_texts

_FIELD = re.compile(
    rb'"(?:content|reasoning_content|reasoning|refusal|arguments|text)": ?(?P<said>"(?!")[^"\\]*(?:\\.[^"\\]*)*")'
    rb'|"(?:obfuscation|p)": ?"(?P<padding>[0-9A-Za-z]+)"'
)
"""What may vary: a text that is not empty, with its quotes; a padding. Within a string there is no such name, since its
quotes would have backslashes."""
_KINDS = ["said", "padding"]
_VARYING = (_KINDS, _KINDS[:1])
_EMPTY = b'""'


@fact
class Shape:
    """The chunks of one choice, and of one tool call in it, that only add some text."""

    _head: bytes
    _middle: bytes
    """Between text and padding; empty where there is no padding."""
    _tail: bytes
    _template: bytes
    """See `Passage`."""
    _order: Sequence[int]
    """What fills the template, by its place in `_KINDS`: the text, in some dialects twice, and the padding."""

    def passage(self, blocks: Sequence[bytes], start: int) -> Passage | None:
        """The blocks of this shape from `start` on, up to the first that is not. None: there are none."""
        head, tail, said = self._head, self._tail, list[bytes]()
        begin, end = len(head), -len(tail)
        shortest = begin - end + len(_EMPTY)
        for block in islice(blocks, start, None):
            if not (len(block) > shortest and block.startswith(head) and block.endswith(tail)):
                break
            said.append(block[begin:end])
        padding = list[bytes]()
        if self._middle:
            said, padding = _split(said, self._middle)
        texts = decode_texts(said)
        return Passage(self._template, self._arranged(said[: len(texts)], padding), texts) if texts else None

    def _arranged(self, said: list[bytes], padding: list[bytes]) -> Sequence[bytes | tuple[bytes, ...]]:
        if len(self._order) == 1:
            return said
        columns = said, padding
        return list(zip(*[columns[place] for place in self._order], strict=False))


def _split(varying: Sequence[bytes], middle: bytes) -> tuple[list[bytes], list[bytes]]:
    """The texts and the paddings, as far as neither is empty."""
    said, paddings = [], []
    for piece in varying:
        text, _, padding = piece.partition(middle)
        if text == _EMPTY or not padding.isalnum():
            break
        said.append(text)
        paddings.append(padding)
    return said, paddings


def shape_of(block: bytes, chunk: Chunk) -> Shape | None:
    """The shape of `block`, an event of one line that was read as `chunk`. None: it does more than add some text."""
    if not _adds_text(chunk):
        return None
    around, came = _cut(block)
    around_written, went = _cut(orjson.dumps(chunk.body))
    if [kind for kind, _ in came] not in _VARYING or set(map(_meaning, came)) != set(map(_meaning, went)):
        return None
    head, *middle, tail = around
    template = b"%b".join([piece.replace(b"%", b"%%") for piece in around_written])
    return Shape(head, middle[0] if middle else b"", tail, template, [_KINDS.index(kind) for kind, _ in went])


def _adds_text(chunk: Chunk) -> bool:
    """A role, an id, a name and a finish reason come once: the next chunk would not be like one that has them."""
    choices = chunk.body["choices"]
    if not chunk.commits or len(choices) > 1 or choices[0]["finish_reason"] is not None:
        return False
    delta = choices[0].get("delta", {})
    return "role" not in delta and all(map(_adds_arguments, delta.get("tool_calls", ())))


def _adds_arguments(call: dict[str, Any]) -> bool:
    function = call.get("function")
    return call.keys() == {"index", "function"} and isinstance(function, dict) and function.keys() == {"arguments"}


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
