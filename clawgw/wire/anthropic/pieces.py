"""Runs of the deltas by which an Anthropic block grows, read without decoding more than their texts.

Nearly every event of a stream is one. They are alike but for the text, an index that nobody needs and blanks before the
last brace, a padding; whatever is worded otherwise is read in full (`stream`).

https://platform.claude.com/docs/en/build-with-claude/streaming
"""

import re
from collections.abc import Sequence
from itertools import islice

from clawgw.fact import fact
from clawgw.wire.json_body import decode_texts

PIECES = {"text_delta": "text", "thinking_delta": "thinking", "input_json_delta": "partial_json"}
"""The member with the piece by which a delta makes a block grow."""

_MEMBERS = {kind.encode(): member.encode() for kind, member in PIECES.items()}
_DELTA = re.compile(
    rb'(?:event: ?content_block_delta\n)?data: ?\{"type": ?"content_block_delta", ?"index": ?(?:0|[1-9]\d*), ?'
    rb'"delta": ?\{"type": ?"(\w+)", ?"(\w+)": ?("(?!")[^"\\]*(?:\\.[^"\\]*)*") *\} *\}'
)


@fact
class Run:
    """Deltas in a row of one kind."""

    member: str
    strings: Sequence[bytes]
    """As they came, JSON with its quotes."""
    texts: Sequence[str]
    """The same decoded; none is empty."""


def read_run(blocks: Sequence[bytes], start: int) -> Run | None:
    """That which begins at `start`. None: there is another kind of block."""
    member = b""
    strings: list[bytes] = []
    for block in islice(blocks, start, None):
        if (found := _DELTA.fullmatch(block)) is None:
            break
        kind, name, string = found.groups()
        if name != _MEMBERS.get(kind) or name != (member or name):
            break
        member = name
        strings.append(string)
    texts = decode_texts(strings)
    return Run(member.decode(), strings[: len(texts)], texts) if texts else None
