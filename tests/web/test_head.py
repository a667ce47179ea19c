import pytest

from clawgw.errors import BodyTooLarge, LoopDetected, UnsupportedEncoding
from clawgw.web.head import Headers, check_body_head, check_loop, client_request_id, distrust

HOST = (b"host", b"test")


@pytest.mark.parametrize(
    ("headers", "word"),
    [
        ([(b"content-length", b"1"), (b"transfer-encoding", b"chunked")], "Transfer-Encoding"),
        ([(b"content-length", b"1"), (b"content-length", b"2")], "twice"),
        ([HOST, (b"host", b"other")], "twice"),
    ],
)
def test_heads_that_can_be_read_in_two_ways(headers: list[tuple[bytes, bytes]], word: str) -> None:
    error = distrust(Headers(headers))
    assert error is not None
    assert error.status == 400
    assert word in error.message


@pytest.mark.parametrize("headers", [[(b"x-%d" % n, b"") for n in range(101)], [(b"x", b"1" * 32 * 1024)]])
def test_heads_that_are_too_large(headers: list[tuple[bytes, bytes]]) -> None:
    error = distrust(Headers(headers))
    assert error is not None
    assert error.status == 431


@pytest.mark.parametrize(
    "headers",
    [
        [],
        [HOST, (b"content-length", b"1")],
        [HOST, (b"transfer-encoding", b"chunked")],
        [(b"content-length", b"1"), (b"content-length", b"1")],
        [(b"x-%d" % n, b"") for n in range(100)],
        [(b"x", b"1" * (32 * 1024 - 1))],
    ],
)
def test_heads_that_are_clear(headers: list[tuple[bytes, bytes]]) -> None:
    assert distrust(Headers(headers)) is None


@pytest.mark.parametrize("encoding", [b"gzip", b"identity, gzip", b"br"])
def test_a_compressed_body_is_refused(encoding: bytes) -> None:
    with pytest.raises(UnsupportedEncoding):
        check_body_head(Headers([(b"content-encoding", encoding)]), 10)


def test_a_body_that_says_it_is_too_large_is_refused() -> None:
    with pytest.raises(BodyTooLarge, match="10 bytes"):
        check_body_head(Headers([(b"content-length", b"11")]), 10)


@pytest.mark.parametrize("headers", [[], [(b"content-length", b"10")], [(b"content-encoding", b"Identity")]])
def test_a_body_that_can_be_taken(headers: list[tuple[bytes, bytes]]) -> None:
    check_body_head(Headers(headers), 10)


def test_a_loop() -> None:
    check_loop(Headers([(b"via", b"1.1 clawgw-other")]), "i1")
    with pytest.raises(LoopDetected) as caught:
        check_loop(Headers([(b"via", b"1.1 proxy"), (b"via", b"1.1 clawgw-i1")]), "i1")
    assert caught.value.status == 508


def test_the_callers_own_header_wins_where_it_is_sane() -> None:
    one, two = (b"x-client-request-id", b"one"), (b"x-request-id", b"two")
    assert client_request_id(Headers([two, one])) == "one"
    assert client_request_id(Headers([(b"x-client-request-id", b"no no"), two])) == "two"
    assert client_request_id(Headers([(b"x-other", b"three")])) is None


def test_the_values_of_a_field_in_order() -> None:
    once, twice = [HOST, (b"via", b" a ")], [(b"via", b" a "), HOST, (b"via", b"b")]
    assert [[*Headers(each).values(b"via")] for each in (once, twice)] == [[b"a"], [b"a", b"b"]]
    assert [[*Headers(each).values(b"host")] for each in (once, twice)] == [[b"test"], [b"test"]]
    assert [[*Headers(each).values(b"vi")] for each in (once, twice)] == [[], []]
