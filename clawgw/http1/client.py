"""One HTTP/1.1 connection as a client: one request after another, each in one write.

`ResponseParser` knows the protocol and does no I/O; this drives it over a link. A wait may be given up and taken up
again: what has been sent and what has come is known here. Any fault cuts the link: a connection whose state is in doubt
is never used again.
"""

import math

import trio
from attrs import define, field

from clawgw.http1.faults import BrokenOff, GoneBefore, PeerFault
from clawgw.http1.response_head import ResponseHead
from clawgw.http1.response_parser import ResponseParser
from clawgw.net.link import Link


@define(eq=False)
class ClientConnection:
    """A link, and what HTTP/1.1 knows of the request on it.

    Waits raise `PeerFault`, and `trio.TooSlowError` where `until` (`trio.current_time`) comes first.
    """

    link: Link
    was_idle: bool = field(default=False, init=False)
    """Whether it has served a request before this one."""
    expires: float = field(default=0.0, init=False)
    """When it has been idle for too long; whoever keeps it says so, and asks."""
    _parser: ResponseParser = field(init=False, factory=ResponseParser)
    _flushed: bool = field(default=True, init=False)
    _half_sent: bool = field(default=False, init=False)
    _sent_before: int = field(default=0, init=False)

    def begin(self, request: bytes, *, to_head: bool = False) -> None:
        """Take on a request, which goes out when its answer is waited for. `to_head`: its method is HEAD."""
        self._parser = ResponseParser(to_head)
        self._sent_before = self.link.sent_bytes
        self.link.send(request)
        self._flushed = False

    @property
    def written(self) -> bool:
        """Whether the peer has been sent the whole request."""
        return self._flushed and not self._half_sent

    @property
    def is_complete(self) -> bool:
        """Whether the answer has come to its end."""
        return self._parser.is_complete

    async def head(self, until: float = math.inf) -> ResponseHead:
        """Send the request, as far as it has not been sent, and wait for the head of its answer.

        Raises `GoneBefore` where the connection was idle before, and nothing of the request has been sent.
        """
        try:
            if not self._flushed:
                await trio.lowlevel.checkpoint_if_cancelled()
                await self._flush(until)
            while (head := self._parser.head()) is None:
                await self._read(until)
        except PeerFault:
            self.cut()
            raise
        return head

    async def receive(self, until: float = math.inf) -> bytes:
        """What one read brought of the answer's body; b"" at its end and ever after."""
        try:
            if self.link.is_cut():
                raise BrokenOff("the connection was cut")
            while not (body := self._parser.take()) and not self._parser.is_complete:
                await self._read(until)
        except PeerFault:
            self.cut()
            raise
        return body

    def recycle(self) -> bool:
        """After an answer is complete: get ready for the next request, or cut the link where that cannot be."""
        self.was_idle = self._parser.is_reusable and self.written and not self.link.is_cut()
        if not self.was_idle:
            self.cut()
        return self.was_idle

    def is_quiet(self) -> bool:
        """Whether an idle connection looks alive: nothing has come on it, and no end either."""
        return self.link.is_quiet()

    def cut(self) -> None:
        """Close at once; harmless when called again."""
        self.link.cut()

    async def _flush(self, until: float) -> None:
        try:
            await self.link.flush(until)
        except trio.BrokenResourceError as error:
            if self.link.is_cut():
                raise BrokenOff("the connection was cut") from error
            if self.was_idle and self.link.sent_bytes == self._sent_before:
                raise GoneBefore("the connection had ended before anything was sent") from error
            # A server may refuse a request before it has read all of it: its answer is worth reading.
            self._half_sent = True
        self._flushed = True

    async def _read(self, until: float) -> None:
        try:
            data = await self.link.receive(until)
        except trio.BrokenResourceError as error:
            raise BrokenOff("the connection broke before the answer ended") from error
        self._parser.feed(data)
