"""The same bytes to h11 and to our parser, and what each makes of them."""

from collections.abc import Iterable, Sequence

import h11
from attrs import frozen

from clawgw.http1.faults import PeerFault
from clawgw.http1.response_parser import ResponseParser

Fields = Sequence[tuple[str, str]]


@frozen
class Read:
    """An answer as it was read. `fault`: what came of it behind the good part, None where nothing was wrong."""

    status: int | None
    fields: Fields
    body: bytes
    complete: bool
    reusable: bool
    fault: str | None


def ours(pieces: Iterable[bytes], *, ended: bool, to_head: bool = False) -> Read:
    parser, body, fault = ResponseParser(to_head), bytearray(), None
    for piece in [*pieces, *[b""] * ended]:
        parser.feed(piece)
        try:
            parser.head()
            while data := parser.take():
                body += data
        except PeerFault as raised:
            fault = type(raised).__name__
            break
    try:
        head = parser.head()
    except PeerFault:
        head = None
    reusable = parser.is_reusable and fault is None
    if head is None:
        return Read(None, (), bytes(body), parser.is_complete, reusable, fault)
    return Read(head.status, head.fields, bytes(body), parser.is_complete, reusable, fault)


def h11s(data: bytes, *, ended: bool, to_head: bool = False) -> Read:
    """All at once: how it is cut up makes no difference to h11."""
    parser = _asked(to_head=to_head)
    status, fields, body, fault = None, [], bytearray(), None
    try:
        parser.receive_data(data)
        if ended:
            parser.receive_data(b"")
        while not isinstance(event := parser.next_event(), h11.EndOfMessage):
            if isinstance(event, h11.Response):
                status = event.status_code
                fields = [(name.decode("ascii"), value.decode("latin-1")) for name, value in event.headers]
            elif isinstance(event, h11.Data):
                body += event.data
            elif event is h11.NEED_DATA or event is h11.PAUSED or isinstance(event, h11.ConnectionClosed):
                break
    except h11.RemoteProtocolError as error:
        fault = str(error)
    complete = parser.their_state in {h11.DONE, h11.MUST_CLOSE, h11.CLOSED}
    left, closed = parser.trailing_data
    return Read(
        status, fields, bytes(body), complete, parser.their_state is h11.DONE and not left and not closed, fault
    )


def _asked(*, to_head: bool) -> h11.Connection:
    parser = h11.Connection(h11.CLIENT, max_incomplete_event_size=64 * 1024)
    parser.send(h11.Request(method="HEAD" if to_head else "GET", target="/", headers=[("host", "h")]))
    parser.send(h11.EndOfMessage())
    return parser


def assert_no_more_than_h11(data: bytes, pieces: Sequence[bytes], *, ended: bool, to_head: bool = False) -> Read:
    """Ours makes of the bytes what h11 makes, or refuses them; and the same however they are cut up."""
    whole, cut = ours([data] if data else [], ended=ended, to_head=to_head), ours(pieces, ended=ended, to_head=to_head)
    assert cut == whole
    theirs = h11s(data, ended=ended, to_head=to_head)
    if theirs.fault is not None and not theirs.complete:
        assert not whole.complete
    if whole.status is not None:
        assert (whole.status, _normal(whole.fields)) == (theirs.status, list(theirs.fields))
        assert theirs.body.startswith(whole.body)
    if whole.fault is None:
        assert (whole.body, whole.complete) == (theirs.body, theirs.complete)
        assert not whole.reusable or theirs.reusable
    return whole


def _normal(fields: Fields) -> list[tuple[str, str]]:
    """As h11 has them: it writes a coding in lower case."""
    return [(name, value.lower() if name == "transfer-encoding" else value) for name, value in fields]
