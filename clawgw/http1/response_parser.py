"""Reads one answer: bytes in, then a head, pieces of a body, and an end. It does no I/O.

Only what llhttp (`httptools`, in its strict mode) and h11 both take gets through: llhttp reads heads and chunks, and
what it takes and h11 does not is refused beside it. Good content is handed out before a fault behind it is raised.
"""

from attrs import define, field

from clawgw.http1.faults import AnswerTooLarge, BrokenOff, InvalidAnswer, PeerFault
from clawgw.http1.response_body import BodyReader, ChunkedReader, LengthReader, RestReader
from clawgw.http1.response_head import FIRST_FINAL, Framing, ResponseHead, framing_of, parse_head

MAX_HEAD_BYTES = 64 * 1024
"""Of the heads of an answer together: there may be interim ones."""

_BEGINNING = b"HTTP/1."
_END = b"\r\n\r\n"


@define(eq=False)
class ResponseParser:
    """One answer. `to_head`: it answers a HEAD request, and has no body whatever its head says."""

    to_head: bool = False
    is_complete: bool = field(init=False, default=False)
    """Whether the answer has come to its end."""
    is_reusable: bool = field(init=False, default=False)
    """Whether the connection may serve another request: the answer has ended, exactly, and was to leave it open."""
    _head: ResponseHead | None = field(init=False, default=None)
    _body: BodyReader | None = field(init=False, default=None, repr=False)
    _keeps_alive: bool = field(init=False, default=False)
    _fault: tuple[type[PeerFault], str] | None = field(init=False, default=None)
    _unread: bytes = field(init=False, default=b"", repr=False)
    _head_bytes: int = field(init=False, default=0)
    _pieces: list[bytes] = field(init=False, factory=list, repr=False)

    def feed(self, data: bytes) -> None:
        """What has come; b"": the peer has ended the connection."""
        if self._fault is not None:
            return
        try:
            if not data:
                self._end()
            elif self._body is None:
                self._read_heads(data)
            else:
                self._read_body(self._body, data)
        except PeerFault as fault:
            self._fault = type(fault), str(fault)

    def head(self) -> ResponseHead | None:
        """The head of the answer, once it has come. Raises `PeerFault`."""
        if self._head is None:
            self._raise_fault()
        return self._head

    def take(self) -> bytes:
        """What has come of the body since it was last asked for. Raises `PeerFault` where nothing good is left."""
        pieces = self._pieces
        if not pieces:
            self._raise_fault()
            return b""
        body = pieces[0] if len(pieces) == 1 else b"".join(pieces)
        pieces.clear()
        return body

    def _raise_fault(self) -> None:
        if self._fault is not None:
            kind, text = self._fault
            raise kind(text)

    def _read_heads(self, data: bytes) -> None:
        unread, at = self._unread + data if self._unread else data, 0
        while self._body is None and (found := unread.find(_END, at)) >= 0:
            end = found + len(_END)
            self._read_head(unread[at:end])
            at = end
        if self._body is None:
            self._wait_for_more(unread[at:])
        elif at < len(unread):
            self._read_body(self._body, unread[at:])

    def _wait_for_more(self, unread: bytes) -> None:
        """The beginning of a head: it is not waited for in vain, or for ever."""
        if not unread.startswith(_BEGINNING[: len(unread)]) or unread.count(b"\n") != unread.count(b"\r\n"):
            raise InvalidAnswer("the answer is not valid HTTP/1.1")
        _check_size(self._head_bytes + len(unread))
        self._unread = unread

    def _read_head(self, block: bytes) -> None:
        self._head_bytes += len(block)
        _check_size(self._head_bytes)
        head = parse_head(block)
        framing = framing_of(head, to_head=self.to_head)
        if head.status >= FIRST_FINAL:
            self._head = head
            self._body = _reader(framing, self._pieces)
            self._keeps_alive = framing.keeps_alive
            self._note_end(self._body)

    def _read_body(self, body: BodyReader, data: bytes) -> None:
        if self.is_complete:
            self.is_reusable = False
            return
        try:
            body.feed(data)
        finally:
            self._note_end(body)

    def _note_end(self, body: BodyReader) -> None:
        self.is_complete = body.is_complete
        self.is_reusable = body.is_complete and body.exactly and self._keeps_alive

    def _end(self) -> None:
        self.is_complete = self.is_complete or isinstance(self._body, RestReader)
        self.is_reusable = False
        if not self.is_complete:
            raise BrokenOff("the connection ended before the answer did")


def _check_size(size: int) -> None:
    if size > MAX_HEAD_BYTES:
        raise AnswerTooLarge(f"the answer's head is over {MAX_HEAD_BYTES} bytes")


def _reader(framing: Framing, pieces: list[bytes]) -> BodyReader:
    if framing.length is not None:
        return LengthReader(pieces, framing.length, framing.length == 0)
    return RestReader(pieces) if framing.until_closed else ChunkedReader(pieces)
