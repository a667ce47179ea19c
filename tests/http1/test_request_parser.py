"""Requests out of bytes, against h11, and by the letter."""

from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clawgw.http1.request_head import BadRequest, RequestHead
from clawgw.http1.request_parser import RequestParser
from tests.fake_upstream import split
from tests.http1.differential import compare, ours
from tests.http1.requests_grammar import streams

sizes_of_pieces = st.lists(st.integers(1, 40))


@settings(max_examples=500, deadline=None)
@given(streams(), sizes_of_pieces)
def test_whatever_comes_we_read_what_h11_reads_or_refuse(raw: bytes, sizes: Sequence[int]) -> None:
    assert compare(split(raw, sizes)) == ours([raw])


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=60), sizes_of_pieces)
def test_any_bytes(raw: bytes, sizes: Sequence[int]) -> None:
    assert compare(split(raw, sizes)) == ours([raw])


def heads(raw: bytes) -> list[RequestHead]:
    """Those of requests without bodies."""
    parser, found = RequestParser(), []
    parser.receive(raw)
    while head := parser.next_head():
        assert parser.next_body() == b""
        found.append(head)
    return found


def test_what_a_head_says() -> None:
    raw = b"POST /a?b HTTP/1.1\r\nHost: h\r\nX-A: \tb c \r\nExpect: 100-Continue\r\nContent-Length: 3\r\n\r\nabc"
    parser = RequestParser()
    parser.receive(raw + b"GET")
    assert parser.next_head() == RequestHead(
        method="POST",
        target=b"/a?b",
        version="1.1",
        fields=[(b"host", b"h"), (b"x-a", b"b c"), (b"expect", b"100-Continue"), (b"content-length", b"3")],
        length=3,
        keep_alive=True,
        expects_continue=True,
        upgrade=False,
    )
    assert parser.unread == 6
    assert not parser.body_ended
    assert parser.next_body() == b"abc"
    assert parser.body_ended
    assert parser.next_body() == b""
    assert parser.next_head() is None


@pytest.mark.parametrize(
    ("line", "field", "keep_alive"),
    [
        (b"GET / HTTP/1.1", b"x: y", True),
        (b"GET / HTTP/1.1", b"connection: keep-alive", True),
        (b"GET / HTTP/1.1", b"Connection: x, Close", False),
        (b"GET / HTTP/1.1", b"connection: x\r\nconnection: close", False),
        (b"GET / HTTP/1.0", b"connection: keep-alive", False),
    ],
)
def test_whether_the_connection_goes_on(line: bytes, field: bytes, *, keep_alive: bool) -> None:
    (head,) = heads(line + b"\r\nhost: h\r\n" + field + b"\r\n\r\n")
    assert head.keep_alive is keep_alive


ONE_OVER = b"GET / HTTP/1.1\r\nhost: h\r\nx: "
FULL = ONE_OVER + b"a" * (32 * 1024 - len(ONE_OVER) - 4) + b"\r\n\r\n"


@pytest.mark.parametrize("size", [100, 40_000])
def test_a_head_has_32_kib(size: int) -> None:
    assert len(FULL) == 32 * 1024
    assert len(ours([FULL[at : at + size] for at in range(0, len(FULL), size)]).requests) == 1
    over = FULL.replace(b"x: ", b"x: a")
    with pytest.raises(BadRequest) as refused:
        feed([over[at : at + size] for at in range(0, len(over), size)])
    assert refused.value.status == 431


def feed(pieces: Sequence[bytes]) -> None:
    """A head in pieces."""
    parser = RequestParser()
    for piece in pieces:
        parser.receive(piece)
        parser.next_head()


def test_a_head_has_100_fields() -> None:
    fields = [b"x-%d: y\r\n" % number for number in range(99)]
    assert len(heads(b"GET / HTTP/1.1\r\nhost: h\r\n" + b"".join(fields) + b"\r\n")[0].fields) == 100
    with pytest.raises(BadRequest) as refused:
        heads(b"GET / HTTP/1.1\r\nhost: h\r\n" + b"".join(fields) + b"x: y\r\n\r\n")
    assert refused.value.status == 431


@pytest.mark.parametrize(
    "raw",
    [
        b"\r\nGET / HTTP/1.1\r\nhost: h\r\n\r\n",
        b"GET  / HTTP/1.1\r\nhost: h\r\n\r\n",
        b"GET /\r\nhost: h\r\n\r\n",
        b"GET / HTTP/2.0\r\nhost: h\r\n\r\n",
        b"GET / HTTP/1.2\r\nhost: h\r\n\r\n",
        b"OPTIONS / RTSP/1.0\r\nhost: h\r\n\r\n",
        b"CONNECT h:1 HTTP/1.1\r\nhost: h\r\n\r\n",
        b"GET / HTTP/1.1\r\n\r\n",
        b"GET / HTTP/1.0\r\nhost: h\r\nhost: h\r\n\r\n",
        b"POST / HTTP/1.0\r\nhost: h\r\ntransfer-encoding: chunked\r\n\r\n",
        b"POST / HTTP/1.1\r\nhost: h\r\ntransfer-encoding: gzip, chunked\r\n\r\n",
        b"POST / HTTP/1.1\r\nhost: h\r\ntransfer-encoding: gzip\r\ntransfer-encoding: chunked\r\n\r\n",
    ],
)
def test_what_llhttp_takes_and_we_do_not(raw: bytes) -> None:
    with pytest.raises(BadRequest) as refused:
        heads(raw)
    assert refused.value.status == 400


def chunked(*chunks: bytes, trailer: bytes = b"") -> RequestParser:
    parser = RequestParser()
    parser.receive(b"POST / HTTP/1.1\r\nhost: h\r\ntransfer-encoding: chunked\r\n\r\n")
    assert parser.next_head() is not None
    parser.receive(b"".join(chunks) + b"0\r\n" + trailer + b"\r\n")
    return parser


def test_a_chunked_body_may_come_byte_by_byte() -> None:
    raw = b"POST / HTTP/1.1\r\nhost: h\r\ntransfer-encoding: chunked\r\n\r\n800\r\n" + b"x" * 0x800 + b"\r\n0\r\n\r\n"
    (read,) = ours([bytes([byte]) for byte in raw]).requests
    assert read.whole
    assert read.body == b"x" * 0x800


def test_what_frames_a_body_is_bounded() -> None:
    small = b"1;a=%b\r\nx\r\n"
    assert chunked(*[small % b"b"] * 10_000).next_body() == b"x" * 10_000
    for bad in (
        chunked(*[small % (b"b" * 100)] * 1000),
        chunked(small % (b"b" * 40_000)),
        chunked(b"5000\r\n" + b"\r\n\r\n" * 0x1400 + b"\r\n"),
        chunked(trailer=b"a: %b\r\n" % (b"b" * 40_000)),
    ):
        with pytest.raises(BadRequest, match="too long"):
            bad.next_body()
