"""The events of a stream in OpenAI's shape, and what a parser of an upstream's bytes owes whoever reads them."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Protocol

import orjson
from attrs import field

from clawgw.fact import fact
from clawgw.wire.failure import Failure
from clawgw.wire.usage import Usage

MAX_EVENT_BYTES = 4 * 1024 * 1024
"""The longest single event of a stream that is taken; a longer one is a failure of kind TOO_LARGE."""


@fact
class Chunk:
    """One `chat.completion.chunk` (or `text_completion` chunk) without its `usage` key.

    `commits` is True where a delta holds the first kind of thing a client came for: non-empty content, refusal,
    reasoning, audio or a tool call. Role-only and finish-only chunks do not commit.
    """

    body: dict[str, Any]
    commits: bool


@fact
class Passage:
    """Chunks in a row, alike but for what they say, and with the same head as the last `Chunk` before them.

    Kept as they came: to build each would cost several times as much as to pass it on. Each of `fields` fills
    `template`, a `%`-format, to the JSON of one chunk; `texts` has what each says, none of them empty.
    """

    template: bytes = field(repr=False)
    fields: Sequence[bytes | tuple[bytes, ...]] = field(repr=False)
    texts: Sequence[str]

    def chunks(self) -> list["Chunk"]:
        """Each by itself; all commit."""
        return [Chunk(orjson.loads(self.template % fields), commits=True) for fields in self.fields]


@fact
class UsageReport:
    """Usage so far; a later report replaces an earlier one, it never adds to it."""

    usage: Usage


@fact
class Failed:
    """The stream has failed; the last event of a parser."""

    failure: Failure


@fact
class Done:
    """The stream is whole: a finish reason was seen, and the format's own end or its EOF. A parser's last event."""


SingleEvent = Chunk | UsageReport | Failed | Done
Event = SingleEvent | Passage


def unfold(events: Iterable[Event]) -> Iterator[SingleEvent]:
    """`events` with the chunks of each passage in its place."""
    for event in events:
        if isinstance(event, Passage):
            yield from event.chunks()
        else:
            yield event


class StreamParser(Protocol):
    """Bytes of a 2xx stream in, events out; the same however the bytes are split, a `Passage` being its chunks.

    After `Failed` or `Done` every further call returns nothing. An end without a finish reason is a `Failed` of kind
    RESET. Memory stays under `MAX_EVENT_BYTES` and a constant.
    """

    def feed(self, data: bytes) -> list[Event]:
        """Take what one read brought."""

    def finish(self) -> list[Event]:
        """The connection ended: what is left, closed by `Done` or `Failed`."""
