"""One HTTP/1.1 connection as a client: one request after another, each in one write, over h11.

h11 knows the protocol and does no I/O; this drives it over a link. It speaks httpx's errors, which is what a transport
of httpx must raise. Any error, and a cancellation, cuts the link: a connection whose state is in doubt is never used
again.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import h11
import httpx
import trio
from attrs import define, field

from clawgw.engine.network import Link

MAX_HEAD_BYTES = 64 * 1024
"""How much of an upstream's unfinished status line and headers, or trailers, is kept."""
READ_BYTES = 64 * 1024

RawHeaders = list[tuple[bytes, bytes]]


class HeadTooLargeError(httpx.RemoteProtocolError):
    """A head over `MAX_HEAD_BYTES`."""


@define(eq=False)
class Connection:
    """A link and what HTTP/1.1 knows of it."""

    _link: Link
    _parser: h11.Connection = field(
        factory=lambda: h11.Connection(h11.CLIENT, max_incomplete_event_size=MAX_HEAD_BYTES)
    )
    _half_sent: bool = field(default=False, init=False)
    _peer_ended: bool = field(default=False, init=False)

    async def exchange(self, method: bytes, target: bytes, headers: RawHeaders, body: bytes) -> h11.Response:
        """Send one request and wait for the head of its answer."""
        with self._cut_on_error():
            await self._send(method, target, headers, body)
            while not isinstance(event := self._parse(), h11.Response):
                if event is h11.NEED_DATA:
                    await self._read()  # anything else is an interim answer (1xx)
            return event

    async def receive(self) -> bytes:
        """What one read brought of the answer's body; b"" at its end and ever after."""
        with self._cut_on_error():
            if self._link.is_cut():
                raise httpx.ReadError("the connection was cut")
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
        if not both_done or self._half_sent or parser.trailing_data[0] or self._link.is_cut():
            self.cut()
            return False
        parser.start_next_cycle()
        return True

    def is_quiet(self) -> bool:
        """Whether an idle connection looks alive: nothing has come on it, and no end either."""
        return self._link.is_quiet()

    def cut(self) -> None:
        """Close at once; harmless when called again."""
        self._link.cut()

    async def _send(self, method: bytes, target: bytes, headers: RawHeaders, body: bytes) -> None:
        try:
            head = self._parser.send(h11.Request(method=method, target=target, headers=headers))
            data = self._parser.send(h11.Data(data=body)) if body else b""
            end = self._parser.send(h11.EndOfMessage())
        except h11.LocalProtocolError:
            # What h11 says quotes the header, which may hold a key.
            raise httpx.LocalProtocolError("a header is not allowed in HTTP, check for line breaks") from None
        try:
            await self._link.stream.send_all(b"".join(filter(None, (head, data, end))))
        except trio.BrokenResourceError:
            # A server may refuse a request before it has read all of it: its answer is worth reading.
            self._half_sent = True

    def _buffered(self) -> bytes:
        """What is there of the body. A fault behind it is raised next time: what came before it is good."""
        pieces = []
        try:
            while isinstance(event := self._parse(), h11.Data):
                pieces.append(event.data)
        except httpx.TransportError:
            if not pieces:
                raise
        return b"".join(pieces)

    def _parse(self) -> h11.Event | type[h11.NEED_DATA] | type[h11.PAUSED]:
        try:
            return self._parser.next_event()
        except h11.RemoteProtocolError as error:
            if self._peer_ended:
                raise httpx.ReadError("the connection ended before the answer did") from error
            if error.error_status_hint == 431:
                raise HeadTooLargeError(f"the answer's head is over {MAX_HEAD_BYTES} bytes") from error
            raise httpx.RemoteProtocolError("the answer is not valid HTTP/1.1") from error

    async def _read(self) -> None:
        try:
            data = await self._link.stream.receive_some(READ_BYTES)
        except (trio.BrokenResourceError, trio.ClosedResourceError) as error:
            raise httpx.ReadError("the connection broke before the answer ended") from error
        self._peer_ended = not data
        self._parser.receive_data(bytes(data))

    @contextmanager
    def _cut_on_error(self) -> Iterator[None]:
        try:
            yield
        except BaseException:
            self.cut()
            raise
