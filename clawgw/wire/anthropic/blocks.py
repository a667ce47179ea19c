"""The content blocks of an Anthropic stream: put together again, and what of them goes out at once.

Blocks come one after the other: opened, grown by deltas, closed. Text, thinking and the arguments of the client's tool
calls go out as OpenAI deltas as they come, calls numbered among themselves. The blocks are kept as well, whole, because
what must come back in the next request (`replay`) is known only when the last is closed. What is kept is
bounded by `MAX_EVENT_BYTES`; beyond that the stream goes on and nothing is kept.

https://platform.claude.com/docs/en/build-with-claude/streaming
"""

from collections.abc import Sequence
from typing import Any

from attrs import define, field

from clawgw.wire.anthropic.pieces import PIECES, Run
from clawgw.wire.anthropic.replay import Block
from clawgw.wire.anthropic.response import annotations_of, arguments_of, tool_call
from clawgw.wire.chunks import SLOT
from clawgw.wire.events import MAX_EVENT_BYTES
from clawgw.wire.failure import WireError
from clawgw.wire.json_body import decode_json, get_objects, get_text

Delta = dict[str, Any]

_SPOKEN = {"text": "content", "thinking": "reasoning_content"}
"""Blocks whose member of the same name goes out, and under which name."""
_ASSIGNED = {"signature_delta": ("signature",), "compaction_delta": ("content", "encrypted_content")}
"""Members of a block that a delta sets as a whole."""


@define
class _Open:
    """A block that is not closed yet. `call` is its number if it is a call of a client's tool."""

    block: Block
    kind: str
    start: int
    call: int | None
    pieces: list[str] = field(factory=list)
    has_arguments: bool = False


@define
class BlockAssembly:
    """The blocks so far. Each method returns the deltas that go out now."""

    calls: int = field(default=0, init=False)
    """How many tools of the client's were called."""
    annotations: list[dict[str, Any]] = field(factory=list, init=False)
    blocks: list[Block] = field(factory=list, init=False)
    """Those that are closed; none once they are too large to keep."""
    _open: _Open | None = field(default=None, init=False)
    _text_size: int = field(default=0, init=False)
    _kept_size: int = field(default=0, init=False)

    def open(self, block: Block, size: int) -> list[Delta]:
        """A block of `size` bytes begins, usually empty; the one before it is closed if it was not."""
        deltas = self.close()
        kind = get_text(block, "type")
        call = self.calls if kind == "tool_use" else None
        self._open = _Open(block, kind, self._text_size, call)
        self._keep(size)
        if call is not None:
            before = [] if call else self.blocks
            self.calls += 1
            return [*deltas, {"tool_calls": [{"index": call, **tool_call(block, "", before)}]}]
        return deltas + self._say(kind, get_text(block, kind))

    def grow(self, delta: dict[str, Any]) -> list[Delta]:
        """The open block grows."""
        if self._open is None:
            return []
        kind = get_text(delta, "type")
        if kind in PIECES:
            piece = get_text(delta, PIECES[kind])
            return self._append(PIECES[kind], [piece], piece) if piece else []
        if kind in _ASSIGNED:
            self._open.block |= {name: delta.get(name) for name in _ASSIGNED[kind]}
        elif kind == "citations_delta":
            cited = [*get_objects(self._open.block, "citations"), delta.get("citation")]
            self._open.block["citations"] = cited
        return []

    def extend(self, run: Run) -> list[Delta]:
        """The open block grows by a run. What goes out for each of its texts, with `SLOT` for the text."""
        return self._append(run.member, run.texts, SLOT)

    def close(self) -> list[Delta]:
        """The open block ends. A call without arguments gets those it began with, `{}` if none."""
        closed, self._open = self._open, None
        if closed is None:
            return []
        block = _whole(closed)
        if closed.kind == "text":
            self.annotations += annotations_of(block, closed.start, self._text_size)
        if self._kept_size <= MAX_EVENT_BYTES:
            self.blocks.append(block)
        if closed.call is None or closed.has_arguments:
            return []
        return [_arguments(closed.call, arguments_of(block))]

    def _append(self, member: str, texts: Sequence[str], shown: str) -> list[Delta]:
        """Some texts, none empty; what goes out, with `shown` for each of them."""
        grown, size = self._open, sum(map(len, texts))
        if grown is None:
            return []
        if self._keep(size):
            grown.pieces += texts
        if grown.call is not None and member == "partial_json":
            grown.has_arguments = True
            return [_arguments(grown.call, shown)]
        if member != grown.kind or member not in _SPOKEN:
            return []
        self._text_size += size if member == "text" else 0
        return [{_SPOKEN[member]: shown}]

    def _say(self, kind: str, text: str) -> list[Delta]:
        if kind == "text":
            self._text_size += len(text)
        return [{_SPOKEN[kind]: text}] if text and kind in _SPOKEN else []

    def _keep(self, size: int) -> bool:
        self._kept_size += size
        if self._kept_size > MAX_EVENT_BYTES:
            self.blocks.clear()
        return self._kept_size <= MAX_EVENT_BYTES


def _whole(closed: _Open) -> Block:
    joined = "".join(closed.pieces)
    if not joined:
        return closed.block
    if closed.kind in _SPOKEN:
        return {**closed.block, closed.kind: get_text(closed.block, closed.kind) + joined}
    try:
        return {**closed.block, "input": decode_json(joined.encode())}
    except WireError:
        return closed.block


def _arguments(call: int, arguments: str) -> Delta:
    return {"tool_calls": [{"index": call, "function": {"arguments": arguments}}]}
