from collections.abc import Sequence

import h11
import pytest
from hypothesis import given
from hypothesis import strategies as st

from clawgw.serve.strict import StrictConnection
from tests.fake_upstream import split

HEAD = b"POST /a HTTP/1.1\r\nhost: h\r\ntransfer-encoding: chunked\r\n\r\n"
REQUEST = HEAD + b"3\r\na\nb\r\n4;x=y\r\n c\n\r\r\n0\r\nx-trailer: \ty\r\n\r\n"
BODY = b"a\nb c\n\r"


def read(raw: bytes, sizes: Sequence[int]) -> bytes:
    """The body of the one request that `raw` is, fed in pieces of these sizes. Raises h11.RemoteProtocolError."""
    connection = StrictConnection(h11.SERVER)
    body = b""
    for piece in split(raw, sizes):
        connection.receive_data(piece)
        while (event := connection.next_event()) is not h11.NEED_DATA:
            match event:
                case h11.Data(data=data):
                    body += data
                case h11.EndOfMessage():
                    return body
    raise AssertionError("the request was not whole")


@given(st.lists(st.integers(1, 8)))
def test_what_is_by_the_letter_is_taken_however_it_is_cut_up(sizes: Sequence[int]) -> None:
    assert read(REQUEST, sizes) == BODY


@given(st.lists(st.integers(1, 8)), st.sampled_from([at for at, byte in enumerate(REQUEST) if byte == 13]))
def test_a_line_that_lacks_its_cr_is_refused_however_it_is_cut_up(sizes: Sequence[int], at: int) -> None:
    if at == REQUEST.index(b"\r\r\n"):
        return  # the body's own
    with pytest.raises(h11.RemoteProtocolError):
        read(REQUEST[:at] + REQUEST[at + 1 :], sizes)


@pytest.mark.parametrize(
    "fields",
    [
        b"x: a\r\n b\r\n",
        b"x: a\r\n\tb\r\n",
        b"content-length: 1\r\nContent-Length: 1\r\n",
        b"content-length: 1, 1\r\n",
    ],
)
def test_what_h11_would_mend_is_refused(fields: bytes) -> None:
    raw = b"POST /a HTTP/1.1\r\nhost: h\r\n%b\r\n1" % fields
    lenient = h11.Connection(h11.SERVER)
    lenient.receive_data(raw)
    assert isinstance(lenient.next_event(), h11.Request)
    with pytest.raises(h11.RemoteProtocolError):
        read(raw, [])
