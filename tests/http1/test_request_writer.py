import h11
import pytest
from hypothesis import given
from hypothesis import strategies as st

from clawgw.http1.request_writer import NotSendable, head_without_length, with_body, without_body

HEAD = head_without_length("POST", "/v1?a=b", [("host", "h"), ("x-empty", "")])
TEXTS = st.text(max_size=6) | st.text(st.characters(max_codepoint=0x100), max_size=6)
FIELDS = st.lists(
    st.tuples(TEXTS | st.sampled_from(["x", "a-b"]), TEXTS | st.sampled_from(["a b", "y\t z"])), max_size=3
)


def test_a_request_is_in_one_piece() -> None:
    assert HEAD == b"POST /v1?a=b HTTP/1.1\r\nhost: h\r\nx-empty: "
    assert with_body(HEAD, b"{}") == HEAD + b"\r\ncontent-length: 2\r\n\r\n{}"
    assert with_body(HEAD, b"") == HEAD + b"\r\ncontent-length: 0\r\n\r\n"
    assert without_body(HEAD) == HEAD + b"\r\n\r\n"


@given(
    method=st.sampled_from(["GET", "POST"]) | TEXTS, target=st.sampled_from(["/", "/v1?x=%20"]) | TEXTS, fields=FIELDS
)
def test_what_is_written_is_what_h11_reads(method: str, target: str, fields: list[tuple[str, str]]) -> None:
    given = [("host", "h"), *[(name, value) for name, value in fields if name.lower() not in FRAMING]]
    try:
        written = with_body(head_without_length(method, target, given), b"body")
    except NotSendable:
        return
    parser = h11.Connection(h11.SERVER)
    parser.receive_data(written)
    request, data, end = parser.next_event(), parser.next_event(), parser.next_event()
    assert isinstance(request, h11.Request)
    assert (request.method.decode(), request.target.decode()) == (method, target)
    read = [(name.decode(), value.decode()) for name, value in request.headers]
    assert read == [*[(name.lower(), value) for name, value in given], ("content-length", "4")]
    assert isinstance(data, h11.Data)
    assert data.data == b"body"
    assert isinstance(end, h11.EndOfMessage)
    assert parser.trailing_data == (b"", False)


FRAMING = {"host", "content-length", "transfer-encoding", "connection", "expect", "upgrade"}


@pytest.mark.parametrize(
    ("method", "target", "name", "value", "complaint"),
    [
        ("GET X", "/", "x", "y", "the method or the path"),
        ("GET", "/a b", "x", "y", "the method or the path"),
        ("GET", "/\r\nx: y", "x", "y", "the method or the path"),
        ("GET", "/é", "x", "y", "the method or the path"),
        ("GET", "/", "x y", "y", "check for line breaks"),
        ("GET", "/", "", "y", "check for line breaks"),
        ("GET", "/", "x", "y\r\nz: w", "check for line breaks"),
        ("GET", "/", "x", "y\0", "check for line breaks"),
        ("GET", "/", "x", " y", "check for line breaks"),
        ("GET", "/", "x", "é", "a header is not ASCII"),
    ],
)
def test_what_http_does_not_allow(method: str, target: str, name: str, value: str, complaint: str) -> None:
    with pytest.raises(NotSendable, match=complaint):
        head_without_length(method, target, [("host", "h"), (name, value)])
