"""What has come of an answer before it commits. It is kept here between waits, so that a wait can be interrupted.

Each of the three takes what every read brought, until it returns an answer or raises `WireError`. `ended`: nothing will
follow.
"""

from collections.abc import Callable, Sequence
from typing import Protocol

from attrs import define, field

from clawgw.engine.seen import Seen
from clawgw.engine.stream import OpenStream, parsed
from clawgw.wire.codec import Completion
from clawgw.wire.events import Chunk, Done, Event, Failed, Passage, StreamParser
from clawgw.wire.failure import Failure, Kind, WireError

MAX_ERROR_BYTES = 64 * 1024
"""As much of an error's body as is read."""
MAX_BODY_BYTES = 64 * 1024 * 1024
"""The largest plain answer that is taken; images come as base64."""
MAX_PREAMBLE_BYTES = 64 * 1024
"""What a stream may send before its first delta that holds something."""


class Incoming(Protocol):
    """An answer that is not there yet."""

    def take(self, data: bytes, *, ended: bool) -> Completion | OpenStream | None:
        """The answer, if this makes it whole."""


@define
class IncomingError:
    """The body of an answer that is not 2xx; its beginning is enough."""

    _parse: Callable[[bytes], Failure]
    _body: bytearray = field(init=False, factory=bytearray, repr=False)

    def take(self, data: bytes, *, ended: bool) -> None:
        """Raises, in the end, the error that the body tells of."""
        self._body += data
        if ended or len(self._body) > MAX_ERROR_BYTES:
            raise WireError(self._parse(bytes(self._body[:MAX_ERROR_BYTES])))


@define
class IncomingCompletion:
    """A plain answer."""

    _parse: Callable[[bytes], Completion]
    _pieces: list[bytes] = field(init=False, factory=list, repr=False)
    _taken: int = field(init=False, default=0)

    def take(self, data: bytes, *, ended: bool) -> Completion | None:
        """The whole answer at the end of its body."""
        self._pieces.append(data)
        self._taken += len(data)
        if self._taken > MAX_BODY_BYTES:
            raise WireError(Failure(Kind.TOO_LARGE, f"an answer of more than {MAX_BODY_BYTES} bytes"))
        return self._parse(b"".join(self._pieces)) if ended else None


@define
class IncomingStream:
    """A stream before its commit point: its first delta that holds something. `open_stream` takes all events so far."""

    _parser: StreamParser
    _seen: Seen
    _open_stream: Callable[[list[Event]], OpenStream]
    _events: list[Event] = field(init=False, factory=list, repr=False)
    _taken: int = field(init=False, default=0)

    def take(self, data: bytes, *, ended: bool) -> OpenStream | None:
        """The stream, once it has committed."""
        self._taken += len(data)
        fresh = parsed(self._parser, data, ended=ended)
        self._events += fresh
        self._seen.note(fresh)
        if _commits(fresh):
            return self._open_stream(self._events)
        if self._taken > MAX_PREAMBLE_BYTES:
            raise WireError(Failure(Kind.TOO_LARGE, f"{MAX_PREAMBLE_BYTES} bytes of stream without any content"))
        return None


def _commits(events: Sequence[Event]) -> bool:
    """Raises `WireError` where the stream failed before its commit point."""
    for event in events:
        if isinstance(event, Passage | Done) or (isinstance(event, Chunk) and event.commits):
            return True
        if isinstance(event, Failed):
            raise WireError(event.failure)
    return False
