"""A stream of events as server-sent events for the client, by OpenAI's rules.

Parsers hold each chunk to the rules for choices; what is left is usage: with `include_usage` every chunk has a null one
and one last chunk, without choices, has the real one; else there is none anywhere. `[DONE]` comes last and only where
the answer is whole. Source: https://platform.openai.com/docs/api-reference/chat-streaming (`stream_options`).
"""

from collections.abc import Iterable
from typing import Any

import orjson
from attrs import define, field

from clawgw.wire.events import Chunk, Done, Event, Passage, UsageReport
from clawgw.wire.sse import encode_sse
from clawgw.wire.usage import Usage

KEEPALIVE = b": keepalive\n\n"
"""A comment, which clients ignore."""

_DONE = encode_sse(b"[DONE]")
_IN_USAGE_CHUNK = ("id", "object", "created", "model", "service_tier", "system_fingerprint")


def error_event(error_body: dict[str, Any]) -> bytes:
    """An `{"error": …}` object as the stream's last event; no `[DONE]` follows it."""
    return encode_sse(orjson.dumps(error_body))


@define
class StreamWriter:
    """Writes one stream, of chat or of text completion chunks. `Failed` writes nothing: its event is `error_event`."""

    include_usage: bool
    _usage: Usage | None = field(default=None, init=False)
    _latest: dict[str, Any] = field(factory=dict, init=False)

    def write(self, events: Iterable[Event]) -> bytes:
        """The bytes for `events`, which may be none."""
        written = []
        for event in events:
            if isinstance(event, Passage):
                written.append(self._passage(event))
            elif isinstance(event, Chunk):
                self._latest = body = event.body
                written.append(encode_sse(orjson.dumps({**body, "usage": None} if self.include_usage else body)))
            elif isinstance(event, UsageReport):
                self._usage = event.usage
            elif isinstance(event, Done):
                written.append(self._usage_chunk() + _DONE)
        return b"".join(written)

    def _passage(self, passage: Passage) -> bytes:
        """It follows a chunk with the same head, so that one stays the latest."""
        template = passage.template[:-1] + b',"usage":null}' if self.include_usage else passage.template
        return b"".join(map(encode_sse(template).__mod__, passage.fields))

    def _usage_chunk(self) -> bytes:
        if not self.include_usage or self._usage is None:
            return b""
        head = {key: self._latest[key] for key in _IN_USAGE_CHUNK if key in self._latest}
        return encode_sse(orjson.dumps({**head, "choices": [], "usage": self._usage.body}))
