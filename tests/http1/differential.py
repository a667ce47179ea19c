"""The same bytes, read by us and by h11: we say the same, or refuse."""

from collections.abc import Sequence

import h11
from attrs import define, field

from clawgw.http1.request_head import MAX_HEAD_BYTES, BadRequest
from clawgw.http1.request_parser import RequestParser


@define
class Read:
    """One request as far as it came. `whole`: to its end."""

    method: bytes
    target: bytes
    version: bytes
    fields: list[tuple[bytes, bytes]]
    keep_alive: bool = True
    body: bytes = b""
    whole: bool = False


@define
class Reading:
    """What a parser made of some bytes: requests in order, and whether it refused what follows them."""

    requests: list[Read] = field(factory=list)
    refused: bool = False


def ours(pieces: Sequence[bytes]) -> Reading:
    """Read to the end, or to the first request after which there is none."""
    parser, reading = RequestParser(), Reading()
    try:
        for piece in pieces:
            parser.receive(piece)
            if not _go_on(parser, reading):
                break
    except BadRequest:
        reading.refused = True
        if reading.requests and not reading.requests[-1].whole:
            reading.requests[-1].body = b""  # how much of it came before the mistake is seen depends on the pieces
    return reading


def _go_on(parser: RequestParser, reading: Reading) -> bool:
    """Whether more is to be read on this connection."""
    while True:
        if not reading.requests or reading.requests[-1].whole:
            if (head := parser.next_head()) is None:
                return True
            method, version = head.method.encode(), head.version.encode()
            reading.requests.append(Read(method, head.target, version, head.fields, head.keep_alive))
        read = reading.requests[-1]
        while part := parser.next_body():
            read.body += part
        read.whole = part == b""
        if not read.whole:
            return True
        if not read.keep_alive:
            return False


def h11s(pieces: Sequence[bytes]) -> Reading:
    """The same by h11."""
    connection, reading = h11.Connection(h11.SERVER, max_incomplete_event_size=MAX_HEAD_BYTES), Reading()
    try:
        for piece in pieces:
            connection.receive_data(piece)
            if not _h11_goes_on(connection, reading):
                break
    except h11.RemoteProtocolError:
        reading.refused = True
    return reading


def _h11_goes_on(connection: h11.Connection, reading: Reading) -> bool:
    while True:
        match connection.next_event():
            case h11.Request(method=method, target=target, http_version=version, headers=headers):
                reading.requests.append(Read(method, target, version, [*headers]))
            case h11.Data(data=data):
                reading.requests[-1].body += data
            case h11.EndOfMessage():
                reading.requests[-1].whole = True
                reading.requests[-1].keep_alive = connection.their_state is not h11.MUST_CLOSE
                if not _answered(connection):
                    return False
            case _:
                return True


def _answered(connection: h11.Connection) -> bool:
    """Whether the connection goes on after an answer."""
    if connection.our_state is h11.SEND_RESPONSE:
        connection.send(h11.Response(status_code=404, headers=[("content-length", "0")]))
        connection.send(h11.EndOfMessage())
    if connection.our_state is not h11.DONE or connection.their_state is not h11.DONE:
        return False
    connection.start_next_cycle()
    return True


def compare(pieces: Sequence[bytes]) -> Reading:
    """What we make of the pieces, after it was seen to be what h11 makes of them, as far as we did not refuse."""
    mine, theirs = ours(pieces), h11s(pieces)
    assert len(mine.requests) <= len(theirs.requests), (mine, theirs)
    for read, other in zip(mine.requests, theirs.requests, strict=False):
        assert _head(read) == _head(other)
        assert (read.body, read.whole) == (other.body, other.whole) or (mine.refused and not read.whole)
        assert not (read.keep_alive and other.whole and not other.keep_alive)
    if not mine.refused and all(read.keep_alive for read in mine.requests):
        assert len(mine.requests) == len(theirs.requests)  # what h11 refuses earlier, we may still be waiting for
    return mine


def _head(read: Read) -> tuple[object, ...]:
    """h11 gives a Transfer-Encoding in lower case."""
    fields = [(name, value.lower() if name == b"transfer-encoding" else value) for name, value in read.fields]
    return read.method, read.target, read.version, fields
