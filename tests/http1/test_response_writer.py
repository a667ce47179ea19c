from collections.abc import Mapping
from types import MappingProxyType

import pytest

from clawgw.http1.request_head import RequestHead
from clawgw.http1.response_writer import ResponseWriter, head_bytes, http_date

NONE: Mapping[str, str] = MappingProxyType({})


def asked(method: str = "GET", version: str = "1.1") -> RequestHead:
    return RequestHead(method, b"/", version, [], 0, keep_alive=True, expects_continue=False, upgrade=False)


def begun(
    request: RequestHead, status: int = 200, fields: Mapping[str, str] = NONE, *, close: bool = False
) -> ResponseWriter:
    writer = ResponseWriter(request)
    writer.begin(status, fields, close=close)
    return writer


def test_head_and_body_leave_together() -> None:
    writer = begun(asked(), 200, {"content-length": "2"})
    assert writer.end(b"ok") == b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"


def test_without_a_length_the_body_is_in_chunks() -> None:
    writer = begun(asked())
    assert writer.data(b"x" * 17) == b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n11\r\n%b\r\n" % (b"x" * 17)
    assert writer.data(b"") == b"", "an empty chunk would be the last"
    assert writer.end(b"end") == b"3\r\nend\r\n0\r\n\r\n"


def test_chunks_are_unknown_to_http_1_0() -> None:
    writer = begun(asked(version="1.0"), close=True)
    assert writer.data(b"a") == b"HTTP/1.1 200 OK\r\nconnection: close\r\n\r\na"
    assert writer.end(b"b") == b"b"


@pytest.mark.parametrize(("method", "status"), [("HEAD", 200), ("GET", 204), ("GET", 304)])
def test_answers_without_a_body(method: str, status: int) -> None:
    writer = begun(asked(method), status, {"x-a": "b"})
    assert writer.data(b"a").endswith(b"\r\nx-a: b\r\n\r\n")
    assert writer.end(b"b") == b""


@pytest.mark.parametrize("value", ["a\r\nb: c", "a\nb", "a\rb", "a\0b"])
@pytest.mark.parametrize("where", [0, 1])
def test_nothing_in_a_field_ends_it(value: str, where: int) -> None:
    field = {"x-a": value} if where else {value: "x"}
    with pytest.raises(ValueError, match="CR, LF or NUL"):
        head_bytes(200, field)


def test_a_status_without_a_name() -> None:
    assert head_bytes(499, {"x-a": "ä"}) == b"HTTP/1.1 499 \r\nx-a: \xe4\r\n\r\n"


def test_dates() -> None:
    assert http_date(784111777) == "Sun, 06 Nov 1994 08:49:37 GMT"  # the example of RFC 9110, 5.6.7
