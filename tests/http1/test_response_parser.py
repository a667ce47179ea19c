from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clawgw.http1.faults import InvalidAnswer
from clawgw.http1.response_parser import MAX_HEAD_BYTES, ResponseParser
from tests.fake_upstream import split
from tests.http1.answers import Read, assert_no_more_than_h11, ours
from tests.http1.answers_grammar import OK, answers, mutated

CHUNKED = OK + b"transfer-encoding: chunked\r\n\r\n"

SIZES = st.lists(st.integers(1, 9), max_size=60)


@settings(max_examples=1000)
@given(data=answers() | mutated() | st.binary(max_size=80), sizes=SIZES, ended=st.booleans(), to_head=st.booleans())
def test_what_is_taken_is_what_h11_takes(data: bytes, sizes: Sequence[int], *, ended: bool, to_head: bool) -> None:
    assert_no_more_than_h11(data, split(data, sizes), ended=ended, to_head=to_head)


def read(data: bytes, *, ended: bool = False, to_head: bool = False) -> Read:
    return ours([data], ended=ended, to_head=to_head)


WHOLE = [
    pytest.param(OK + b"content-length: 5\r\n\r\n", b"hello", True, id="length"),
    pytest.param(CHUNKED, b"5;note=x\r\nhello\r\n1\r\n!\r\n0\r\nt: u\r\n\r\n", True, id="chunked"),
    pytest.param(OK + b"connection: a , Close\r\ncontent-length: 5\r\n\r\n", b"hello", False, id="to be closed"),
    pytest.param(b"HTTP/1.0 200 OK\r\ncontent-length: 5\r\n\r\n", b"hello", False, id="HTTP/1.0"),
]


@pytest.mark.parametrize(("head", "body", "reusable"), WHOLE)
def test_where_an_answer_ends(head: bytes, body: bytes, *, reusable: bool) -> None:
    whole = read(head + body)
    assert (whole.status, whole.complete, whole.reusable) == (200, True, reusable)
    assert whole.body in {b"hello", b"hello!"}
    assert not read(head + body[:-1]).complete
    assert read(head + body[:-1], ended=True).fault == "BrokenOff"
    assert not read(head + body, ended=True).reusable


@pytest.mark.parametrize("beyond", [b"\r\n", b"\n", b"x", OK + b"content-length: 6\r\n\r\nforged"])
@pytest.mark.parametrize(("head", "body", "reusable"), WHOLE)
def test_what_nobody_asked_for_is_not_read_and_ends_the_connections_use(
    head: bytes, body: bytes, beyond: bytes, *, reusable: bool
) -> None:
    expected = Read(200, read(head).fields, read(head + body).body, complete=True, reusable=False, fault=None)
    assert read(head + body + beyond) == expected
    assert ours([head + body, beyond], ended=False) == expected


@pytest.mark.parametrize("head", [OK + b"\r\n", b"HTTP/1.0 200\r\n\r\n"])
def test_a_body_without_a_frame_ends_with_the_connection(head: bytes) -> None:
    assert not read(head + b"hel").complete
    assert ours([head, b"hel", b"lo"], ended=True) == Read(200, [], b"hello", complete=True, reusable=False, fault=None)


@pytest.mark.parametrize("status", [204, 304])
@pytest.mark.parametrize("field", ["content-length: 5", "transfer-encoding: chunked", "x: y"])
def test_some_answers_have_no_body(status: int, field: str) -> None:
    whole = read(f"HTTP/1.1 {status} Status\r\n{field}\r\n\r\n".encode())
    assert (whole.status, whole.body, whole.complete, whole.reusable) == (status, b"", True, True)
    answer = read(f"HTTP/1.1 200 OK\r\n{field}\r\n\r\n".encode(), to_head=True)
    assert (answer.status, answer.body, answer.complete, answer.reusable) == (200, b"", True, True)


def test_interim_answers_are_passed_over() -> None:
    interim = b"HTTP/1.1 100 Continue\r\n\r\n" + b"HTTP/1.1 103 Early Hints\r\nlink: </x>\r\n\r\n"
    assert read(interim) == Read(None, (), b"", complete=False, reusable=False, fault=None)
    whole = read(interim + OK + b"content-length: 1\r\n\r\nx")
    assert (whole.status, whole.fields, whole.body) == (200, [("content-length", "1")], b"x")


def test_fields_keep_their_order_and_lose_the_space_around_them() -> None:
    whole = read(OK + b"Set-Cookie:a=b\r\nX-\xc9~: \t\xe9 x\t \r\nset-cookie: c\r\ne:\r\n\r\n")
    assert whole.fault == "InvalidAnswer"
    whole = read(OK + b"Set-Cookie:a=b\r\nX-~: \t\xe9 x\t \r\nset-cookie: c\r\ne:\r\n\r\n")
    assert whole.fields == [("set-cookie", "a=b"), ("x-~", "é x"), ("set-cookie", "c"), ("e", "")]


REFUSED = [
    b"\r\n" + OK + b"\r\n",
    b"SSH-2.0-OpenSSH_9.2\r\n",
    b"HTTP/2.0 200 OK\r\n\r\n",
    b"HTTP/1.1 099 No\r\n\r\n",
    b"HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n",
    b"HTTP/1.1 102 Processing\r\ncontent-length: 1\r\n\r\n",
    b"HTTP/1.1 200 OK\x00\r\n\r\n",
    b"HTTP/1.1 200 OK\n",
    OK + b"x: y\n",
    OK + b"x: y\r\n z\r\n\r\n",
    OK + b"x : y\r\n\r\n",
    OK + b"x: a\0b\r\n\r\n",
    OK + b"content-length: 1\r\ncontent-length: 1\r\n\r\n",
    OK + b"content-length: 1\r\ncontent-length: 2\r\n\r\n",
    OK + b"content-length: 1, 1\r\n\r\n",
    OK + b"content-length: 1\r\ntransfer-encoding: chunked\r\n\r\n",
    OK + b"transfer-encoding: chunked\r\ncontent-length: 1\r\n\r\n",
    OK + b"transfer-encoding: gzip, chunked\r\n\r\n",
    OK + b"transfer-encoding: chunked\r\ntransfer-encoding: chunked\r\n\r\n",
    b"HTTP/1.0 200 OK\r\ntransfer-encoding: chunked\r\n\r\n",
]


@pytest.mark.parametrize("data", REFUSED)
def test_heads_that_two_parsers_could_read_in_two_ways(data: bytes) -> None:
    assert read(data) == Read(None, (), b"", complete=False, reusable=False, fault="InvalidAnswer")


@pytest.mark.parametrize(
    "bad",
    [b"zz\r\n", b"3 \r\n", b"3\n", b"-1\r\n", b"0x3\r\n", b"fffffffffffffffff\r\n", b"3\r\nabcd\r\n", b"3\r\nabc\n",
     b"0\r\nx : y\r\n\r\n", b"0\r\n folded\r\n\r\n", b"0\r\nTransfer-Encoding: chunked\r\n\r\n"],
)  # fmt: skip
def test_what_came_before_a_bad_chunk_is_handed_out_first(bad: bytes) -> None:
    parser = ResponseParser()
    parser.feed(CHUNKED + b"5\r\nhello\r\n" + bad)
    assert parser.take()[:5] == b"hello"
    for _ in range(2):
        with pytest.raises(InvalidAnswer, match="not valid HTTP"):
            parser.take()
        parser.feed(b"0\r\n\r\n")
    assert not parser.is_complete


@pytest.mark.parametrize(
    "endless",
    [
        [OK + b"x: " + b"y" * MAX_HEAD_BYTES],
        [OK, *[b"x: y\r\n"] * (MAX_HEAD_BYTES // 6)],
        [OK + b"x: y\r\n" * 257 + b"\r\n"],
        [b"HTTP/1.1 100 Continue\r\n\r\n" * (MAX_HEAD_BYTES // 20)],
        [CHUNKED, b"0\r\n", *[b"x: y\r\n"] * (MAX_HEAD_BYTES // 6 + 1)],
        [CHUNKED, b"5;", *[b"x" * 1000] * 66],
    ],
)
def test_what_is_kept_has_a_limit(endless: Sequence[bytes]) -> None:
    assert ours(endless, ended=False).fault == "AnswerTooLarge"


def test_a_head_of_the_largest_size_is_taken() -> None:
    start, end = OK + b"content-length: 0\r\nx: ", b"\r\n\r\n"
    filling = b"y" * (MAX_HEAD_BYTES - len(start) - len(end))
    assert ours(split(start + filling + end, [50_000]), ended=False).complete
    assert read(start + filling + b"y" + end).fault == "AnswerTooLarge"
