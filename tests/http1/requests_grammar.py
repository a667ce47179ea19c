"""Requests that are nearly right: made by the grammar, with the places in it where parsers differ, and then damaged."""

from hypothesis import strategies as st

LINES = (
    b"GET / HTTP/1.1",
    b"POST /v1/chat/completions?a=b HTTP/1.1",
    b"HEAD * HTTP/1.0",
    b"OPTIONS * HTTP/1.1",
    b"POST http://h/a HTTP/1.1",
    b"M-SEARCH / HTTP/1.1",
    b"CONNECT h:1 HTTP/1.1",
    b"PRI * HTTP/2.0",
    b"GET / HTTP/0.9",
    b"GET /",
    b"GET  / HTTP/1.1",
    b"OPTIONS / RTSP/1.0",
    b"BREW /pot HTTP/1.1",
)
FIELDS = (
    b"Host: h",
    b"host:h",
    b"x-a: b",
    b"X-Empty:",
    b"x-spaces: \t b c \t",
    b"x-bytes: \xff\x80",
    b"content-length: 5",
    b"content-length: 0",
    b"Content-Length: 05",
    b"content-length: 5, 5",
    b"Transfer-Encoding: chunked",
    b"transfer-encoding: Chunked ",
    b"transfer-encoding: gzip, chunked",
    b"transfer-encoding: gzip",
    b"connection: close",
    b"connection: keep-alive, Close",
    b"connection: upgrade",
    b"proxy-connection: close",
    b"upgrade: websocket",
    b"upgrade: h2c",
    b"expect: 100-continue",
    b" folded",
    b"x-a : b",
    b"no colon",
)
BODIES = (
    b"",
    b"hello",
    b"5\r\nhello\r\n0\r\n\r\n",
    b"1\r\n\r\r\n2;a=b\r\n\n\r\r\n0\r\n\r\n",
    b'0005;n="v;\\""\r\nhello\r\n00\r\nx-t: y\r\nX-U: z\r\n\r\n',
    b"4\r\n\r\n\r\n\r\n0\r\n\r\n",
    b"5 \r\nhello\r\n0\r\n\r\n",
    b"5\nhello\n0\n\n",
    b"0\r\ncontent-length: 3\r\n\r\n",
)
ENDS = (b"\r\n", b"\r\n", b"\r\n", b"\r\n", b"\n", b"\r", b"\r\r\n")

GOOD_LINES = LINES[:6]
GOOD_FIELDS = (*FIELDS[2:6], *FIELDS[14:16], *FIELDS[17:22])
GOOD = (
    ((), b""),
    ((b"content-length: 5",), b"hello"),
    ((b"Content-Length: 05", b"upgrade: h2c", b"connection: upgrade"), b"hello"),
    *[((b"Transfer-Encoding: chunked",), body) for body in BODIES[2:6]],
    ((b"transfer-encoding: Chunked ", b"connection: upgrade", b"upgrade: websocket"), BODIES[2]),
)

line_ends = st.sampled_from(ENDS)


@st.composite
def good_requests(draw: st.DrawFn) -> bytes:
    """By the letter."""
    framing, body = draw(st.sampled_from(GOOD))
    fields = draw(st.permutations([b"Host: h", *framing, *draw(st.lists(st.sampled_from(GOOD_FIELDS), max_size=3))]))
    return b"\r\n".join([draw(st.sampled_from(GOOD_LINES)), *fields, b"", body])


@st.composite
def doubtful_requests(draw: st.DrawFn) -> bytes:
    """Made of the same and of worse."""
    fields = draw(st.lists(st.sampled_from(FIELDS), max_size=6))
    lines = [draw(st.sampled_from(LINES)), b"host: h", *fields, b""]
    ends = [draw(line_ends) if draw(st.integers(0, 19)) == 0 else b"\r\n" for _ in lines]
    return b"".join(line + end for line, end in zip(lines, ends, strict=True)) + draw(st.sampled_from(BODIES))


@st.composite
def streams(draw: st.DrawFn) -> bytes:
    """Several of them, one behind the other, some with a few bytes changed, lost or too many."""
    raw = b"".join(draw(st.lists(good_requests() | good_requests() | doubtful_requests(), min_size=1, max_size=4)))
    for _ in range(draw(st.sampled_from((0, 0, 1, 2)))):
        at, kept = draw(st.integers(0, len(raw))), draw(st.integers(0, 1))
        raw = raw[:at] + draw(st.binary(max_size=2)) + raw[at + kept :]
    return raw
