"""One HTTP/1.1 connection as a client: one request after another, each in one write, over h11.

h11 knows the protocol and does no I/O; this drives it over a link. A wait may be cancelled and taken up again: what has
been sent and what has come is known here. Any fault cuts the link, and is a `WireError`: a connection whose state is in
doubt is never used again.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import h11
import trio
from attrs import define, field

from clawgw.engine.network import Link
from clawgw.engine.tcp import READ_BYTES
from clawgw.wire.codec import Failure, Kind, WireError

MAX_HEAD_BYTES = 64 * 1024
"""How much of an upstream's unfinished status line and headers, or trailers, is kept."""


@define(eq=False)
class Connection:
    """A link and what HTTP/1.1 knows of it. `peer` is what messages call the other end."""

    peer: str
    _link: Link
    _parser: h11.Connection = field(
        factory=lambda: h11.Connection(h11.CLIENT, max_incomplete_event_size=MAX_HEAD_BYTES)
    )
    _unsent: bytes = field(default=b"", init=False, repr=False)
    _flushed: bool = field(default=True, init=False)
    _half_sent: bool = field(default=False, init=False)
    _peer_ended: bool = field(default=False, init=False)

    def begin(self, request: h11.Request, body: bytes) -> None:
        """Take on a request, which goes out when its answer is waited for."""
        send = self._parser.send
        data = send(request), send(h11.Data(data=body)) if body else b"", send(h11.EndOfMessage())
        self._unsent = b"".join(filter(None, data))
        self._flushed = False

    @property
    def written(self) -> bool:
        """Whether the peer has been sent the whole request."""
        return self._flushed and not self._half_sent

    async def head(self) -> h11.Response:
        """Send the request, as far as it has not been sent, and wait for the head of its answer."""
        with self._cut_on_fault():
            if not self._flushed:
                await self._flush()
            while not isinstance(event := self._parse(), h11.Response):
                if event is h11.NEED_DATA:
                    await self._read()  # anything else is an interim answer (1xx)
            return event

    async def receive(self) -> bytes:
        """What one read brought of the answer's body; b"" at its end and ever after."""
        with self._cut_on_fault():
            if self._link.tcp.is_cut():
                raise self._fault(Kind.RESET, "the connection was cut")
            while True:
                if body := self._buffered():
                    return body
                if self.is_complete():
                    return b""
                await self._read()

    def is_complete(self) -> bool:
        """Whether the answer has come to its end."""
        return self._parser.their_state not in {h11.SEND_RESPONSE, h11.SEND_BODY, h11.ERROR}

    def recycle(self) -> bool:
        """After an answer is complete: get ready for the next request, or cut the link where that cannot be."""
        parser = self._parser
        both_done = parser.our_state is h11.DONE and parser.their_state is h11.DONE
        if not both_done or not self.written or parser.trailing_data[0] or self._link.tcp.is_cut():
            self.cut()
            return False
        parser.start_next_cycle()
        return True

    def is_quiet(self) -> bool:
        """Whether an idle connection looks alive: nothing has come on it, and no end either."""
        return self._link.tcp.is_quiet()

    def cut(self) -> None:
        """Close at once; harmless when called again."""
        self._link.tcp.cut()

    async def _flush(self) -> None:
        try:
            if self._unsent:
                await self._link.stream.send_all(self._unsent)
                self._unsent = b""
            await self._link.tcp.flush()
        except trio.BrokenResourceError:
            # A server may refuse a request before it has read all of it: its answer is worth reading.
            self._half_sent = True
        self._flushed = True

    def _buffered(self) -> bytes:
        """What is there of the body. A fault behind it is raised next time: what came before it is good."""
        pieces = []
        try:
            while isinstance(event := self._parse(), h11.Data):
                pieces.append(event.data)
        except WireError:
            if not pieces:
                raise
        return b"".join(pieces)

    def _parse(self) -> h11.Event | type[h11.NEED_DATA] | type[h11.PAUSED]:
        try:
            return self._parser.next_event()
        except h11.RemoteProtocolError as error:
            if self._peer_ended:
                raise self._fault(Kind.RESET, "the connection ended before the answer did") from error
            if error.error_status_hint == 431:
                raise self._fault(Kind.TOO_LARGE, f"the answer's head is over {MAX_HEAD_BYTES} bytes") from error
            raise self._fault(Kind.INVALID, "the answer is not valid HTTP/1.1") from error

    async def _read(self) -> None:
        try:
            data = await self._link.stream.receive_some(READ_BYTES)
        except trio.BrokenResourceError as error:
            raise self._fault(Kind.RESET, "the connection broke before the answer ended") from error
        self._peer_ended = not data
        self._parser.receive_data(bytes(data))

    def _fault(self, kind: Kind, text: str) -> WireError:
        return WireError(Failure(kind, f"{self.peer}: {text}"))

    @contextmanager
    def _cut_on_fault(self) -> Iterator[None]:
        try:
            yield
        except WireError:
            self.cut()
            raise
