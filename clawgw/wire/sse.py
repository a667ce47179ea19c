"""Server-sent events: bytes in, events out, however the bytes are split.

The format is WHATWG's (https://html.spec.whatwg.org/multipage/server-sent-events.html#parsing-an-event-stream), with
three differences that real upstreams ask for: an event that the end of the stream cuts off before its blank line is
still handed out, data stays bytes for the JSON decoder, and a block that is no event at all but bare JSON or HTML comes
out as an event named `BARE`, so that an error page in the place of a stream is seen.

Line ends are made LF first, so what lies between two LF LF is an event: a block. The usual read, whole blocks, costs
one `split`; a partial one waits in one buffer that is searched only where it has grown, so time is linear in bytes.
Blocks and events are two steps because a parser that knows a block by its bytes has no need of its event.
"""

from itertools import takewhile
from typing import NamedTuple

from attrs import define, field

from clawgw.wire.events import MAX_EVENT_BYTES
from clawgw.wire.failure import Failure, Kind, WireError

BARE = ""
"""The name of an event that is not one: its data is a block of JSON or HTML as it came."""

_BOM = b"\xef\xbb\xbf"


class SseEvent(NamedTuple):
    """One event; a tuple, which is quick to make. `event` is "message" where the stream names none.

    `data` has its lines joined by LF.
    """

    event: str
    data: bytes


@define
class SseDecoder:
    """The blocks of one stream: what lies between blank lines, with LF for every line end; `parse_event` reads one.

    Raises `WireError` of kind TOO_LARGE, now or at the next call, for one over the cap.
    """

    max_event_bytes: int = MAX_EVENT_BYTES
    _buffer: bytearray = field(factory=bytearray, init=False)
    _after_cr: bool = field(default=False, init=False)
    _at_start: bool = field(default=True, init=False)
    _too_large: bool = field(default=False, init=False)

    def feed(self, data: bytes) -> list[bytes]:
        """The blocks that are whole now; some may be empty."""
        if self._after_cr or b"\r" in data:
            data = self._lf_only(data)
        if self._buffer:
            grown_from = len(self._buffer) - 1
            self._buffer += data
            if self._buffer.find(b"\n\n", grown_from) < 0:
                return self._capped([])
            data = bytes(self._buffer)
        blocks = data.split(b"\n\n")
        self._buffer = bytearray(blocks.pop())
        if len(data) > self.max_event_bytes or self._at_start or self._too_large:
            return self._capped(blocks)
        return blocks

    def finish(self) -> list[bytes]:
        """The block that the end of the stream left without its blank line; it may be cut short, or empty."""
        blocks = [bytes(self._buffer).removesuffix(b"\n")]
        self._buffer.clear()
        return self._capped(blocks)

    def _lf_only(self, data: bytes) -> bytes:
        if self._after_cr and data:
            data = data.removeprefix(b"\n")
            self._after_cr = False
        self._after_cr = self._after_cr or data.endswith(b"\r")
        return data.replace(b"\r\n", b"\n").replace(b"\r", b"\n")

    def _capped(self, blocks: list[bytes]) -> list[bytes]:
        """Blocks before the one over the cap are handed out, so that a split of the bytes cannot change them."""
        taken = [] if self._too_large else self._up_to_cap(blocks)
        if taken and self._at_start:
            self._at_start = False
            taken[0] = taken[0].removeprefix(_BOM)
        # One more byte may wait: the LF that ends the block's last line.
        self._too_large |= len(self._buffer) > self.max_event_bytes + 1
        if self._too_large:
            self._buffer.clear()
            if not any(taken):
                raise _too_large(self.max_event_bytes)
        return taken

    def _up_to_cap(self, blocks: list[bytes]) -> list[bytes]:
        if max(map(len, blocks), default=0) <= self.max_event_bytes:
            return blocks
        self._too_large = True
        return list(takewhile(lambda block: len(block) <= self.max_event_bytes, blocks))


def parse_event(block: bytes) -> SseEvent | None:
    """The event that a block is. None: it has no data, only comments or other fields."""
    if block.startswith(b"data: ") and b"\n" not in block:
        return SseEvent("message", block[6:])
    if block.lstrip()[:1] in (b"{", b"[", b"<"):
        return SseEvent(BARE, block)
    name, lines = b"", []
    for line in block.split(b"\n"):
        key, _, value = line.partition(b":")
        if key == b"data":
            lines.append(value.removeprefix(b" "))
        elif key == b"event":
            name = value.removeprefix(b" ")
    return SseEvent(name.decode(errors="replace") or "message", b"\n".join(lines)) if lines else None


def _too_large(cap: int) -> WireError:
    return WireError(Failure(Kind.TOO_LARGE, f"The upstream sent an event of more than {cap} bytes."))


def encode_sse(payload: bytes) -> bytes:
    """`payload`, which has no line end in it (JSON has none), as one event."""
    return b"data: " + payload + b"\n\n"
