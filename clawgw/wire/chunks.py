"""`chat.completion.chunk` objects for upstreams that speak another format, and when a delta commits a stream.

Source of the shape: https://platform.openai.com/docs/api-reference/chat-streaming.
"""

from collections.abc import Sequence
from typing import Any

import orjson
from attrs import define, field

from clawgw.wire.events import Chunk, Passage

_COMMITTING = frozenset(
    {"content", "tool_calls", "reasoning_content", "reasoning", "refusal", "audio", "images", "function_call"}
)
SLOT = "\0"
"""In a delta, the place of a text that is filled in later."""
_SLOT = orjson.dumps(SLOT)


def delta_commits(delta: dict[str, Any]) -> bool:
    """Whether a delta brings the first kind of thing a client came for (`events.Chunk.commits`)."""
    for name, value in delta.items():  # noqa: SIM110 - a generator costs more than all of this
        if value and name in _COMMITTING:
            return True
    return False


@define
class ChunkBuilder:
    """Makes the chunks of one stream: one id, model and `created` throughout, the role in each choice's first delta."""

    id: str
    model: str
    created: int
    _started: set[int] = field(factory=set, init=False)
    _repeated: dict[str, Any] | None = field(default=None, init=False)
    """The delta of `_template`, the latest of a passage."""
    _template: bytes = field(default=b"", init=False)

    def delta(self, delta: dict[str, Any], choice: int = 0) -> Chunk:
        """A chunk that adds `delta` to the message; an empty one only announces the role."""
        if choice not in self._started:
            self._started.add(choice)
            delta = {"role": "assistant", **delta}
        return self._chunk(delta, None, choice)

    def passage(self, delta: dict[str, Any], strings: Sequence[bytes], texts: Sequence[str]) -> Passage:
        """Chunks of the first choice, which has begun, that add `delta` each, with a text in the place of its `SLOT`.

        `strings` has the texts as JSON.
        """
        if delta != self._repeated:
            written = orjson.dumps(self._chunk(delta, None, 0).body)
            self._repeated, self._template = delta, b"%b%%b%b" % written.replace(b"%", b"%%").rpartition(_SLOT)[::2]
        return Passage(self._template, strings, texts)

    def finish(self, reason: str, choice: int = 0) -> Chunk:
        """The choice's last chunk."""
        return self._chunk({}, reason, choice)

    def _chunk(self, delta: dict[str, Any], finish_reason: str | None, choice: int) -> Chunk:
        body = {
            "id": self.id,
            "object": "chat.completion.chunk",
            "created": self.created,
            "model": self.model,
            "choices": [{"index": choice, "delta": delta, "logprobs": None, "finish_reason": finish_reason}],
        }
        return Chunk(body, delta_commits(delta))
