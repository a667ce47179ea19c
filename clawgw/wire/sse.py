"""Server-sent events: bytes in, events out, however the bytes are split.

The format is WHATWG's (https://html.spec.whatwg.org/multipage/server-sent-events.html#parsing-an-event-stream), with
three differences that real upstreams ask for: an event that the end of the stream cuts off before its blank line is
still handed out, data stays bytes for the JSON decoder, and a block that is no event at all but bare JSON or HTML comes
out as an event named `BARE`, so that an error page in the place of a stream is seen.

Line ends are made LF first, so an event is what lies between two LF LF. The usual read, whole `data: …` events, costs
one `split`; a partial event waits in one buffer that is searched only where it has grown, so time is linear in bytes.
"""

from attrs import define, field, frozen

from clawgw.wire.codec import MAX_EVENT_BYTES, Failure, Kind, WireError

BARE = ""
"""The name of an event that is not one: its data is a block of JSON or HTML as it came."""

_BOM = b"\xef\xbb\xbf"


@frozen
class SseEvent:
    """One event. `event` is "message" where the stream names none; `data` has its lines joined by LF."""

    event: str
    data: bytes


@define
class SseDecoder:
    """The events of one stream. Raises `WireError` of kind TOO_LARGE, now or at the next call, for one over the cap."""

    max_event_bytes: int = MAX_EVENT_BYTES
    _buffer: bytearray = field(factory=bytearray, init=False)
    _after_cr: bool = field(default=False, init=False)
    _at_start: bool = field(default=True, init=False)
    _too_large: bool = field(default=False, init=False)

    def feed(self, data: bytes) -> list[SseEvent]:
        """The events that are whole now."""
        data = self._lf_only(data)
        if self._buffer:
            grown_from = len(self._buffer) - 1
            self._buffer += data
            if self._buffer.find(b"\n\n", grown_from) < 0:
                return self._capped([])
            data = bytes(self._buffer)
        blocks = data.split(b"\n\n")
        self._buffer = bytearray(blocks.pop())
        return self._capped(blocks)

    def finish(self) -> list[SseEvent]:
        """The event that the end of the stream left without its blank line, if any; its data may be cut short."""
        blocks = [bytes(self._buffer).removesuffix(b"\n")]
        self._buffer.clear()
        return self._capped(blocks)

    def _lf_only(self, data: bytes) -> bytes:
        if self._after_cr and data:
            data = data.removeprefix(b"\n")
            self._after_cr = False
        if b"\r" in data:
            self._after_cr = data.endswith(b"\r")
            data = data.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        return data

    def _capped(self, blocks: list[bytes]) -> list[SseEvent]:
        """Events before the one over the cap are handed out, so that a split of the bytes cannot change them."""
        events = [] if self._too_large else self._parse(blocks)
        # One more byte may wait: the LF that ends the event's last line.
        self._too_large |= len(self._buffer) > self.max_event_bytes + 1
        if self._too_large:
            self._buffer.clear()
            if not events:
                raise _too_large(self.max_event_bytes)
        return events

    def _parse(self, blocks: list[bytes]) -> list[SseEvent]:
        events = []
        for block in blocks:
            if len(block) > self.max_event_bytes:
                self._too_large = True
                break
            if block.startswith(b"data: ") and b"\n" not in block:
                events.append(SseEvent("message", block[6:]))
            elif event := _parse_block(block.removeprefix(_BOM) if self._at_start else block):
                events.append(event)
            self._at_start = False
        return events


def _parse_block(block: bytes) -> SseEvent | None:
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
