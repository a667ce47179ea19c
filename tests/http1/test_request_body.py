"""A chunked body by itself; what it is within a request is in test_request_parser."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clawgw.http1.request_body import ChunkedBody
from clawgw.http1.request_head import BadRequest
from tests.fake_upstream import split

WHOLE = b"5;a=b\r\nhello\r\n6\r\n\r\n\r\n\r\n\r\n0\r\nx-trailer: y\r\n\r\n"
"""Its second chunk is nothing but line ends."""


@given(st.lists(st.integers(1, 9)))
def test_it_takes_its_own_and_no_more_however_it_is_split(sizes: list[int]) -> None:
    body, buffer, data = ChunkedBody(), b"", b""
    for piece in split(WHOLE + b"GET / HTTP/1.1", sizes):
        buffer += piece
        while buffer and not body.ended:
            buffer = buffer[body.read(buffer, 0) :]
            data += body.take()
    assert body.ended
    assert data == b"hello\r\n\r\n\r\n"
    assert buffer == b"GET / HTTP/1.1"


@pytest.mark.parametrize("bad", [b"x\r\n", b"5\r\nhelloXX", b"0\r\nno trailer\r\n\r\n"])
def test_what_is_no_chunk_is_refused(bad: bytes) -> None:
    with pytest.raises(BadRequest, match="not valid HTTP"):
        ChunkedBody().read(bad, 0)
