"""Answers by the grammar; `mutated` puts in what parsers differ about."""

from hypothesis import strategies as st

OK = b"HTTP/1.1 200 OK\r\n"
LINES = st.sampled_from(
    b"""x: y|x:y|x:|x:  a b\t|X-~: z|set-cookie: a=b|set-cookie: c=d|connection: keep-alive|connection: close
connection: Foo, CLOSE|connection: closed|upgrade: h2c|keep-alive: timeout=1""".replace(b"\n", b"|").split(b"|")
)
REASONS = st.sampled_from([b"", b" ", b" OK", b" Not Found", b" \xe9", b" a\tb"])
STATUSES = st.sampled_from([b"200", b"200", b"200", b"204", b"304", b"429", b"500", b"999"])
INTERIM = st.sampled_from([b"100", b"102", b"103", b"199"])
CHUNKS = st.sampled_from(
    [b"5\r\nhello\r\n", b"5;x=y\r\nhello\r\n", b"05\r\nhello\r\n", b"A\r\n0123456789\r\n", b'1;x="a"\r\na\r\n']
)
LAST = st.sampled_from(
    [b"0", b"000", b"0;e", b"0\r\nt: u", b"0\r\ncontent-length: 9", b"0\r\nTransfer-Encoding: gzip", b"0\r\nt: u\r\nv:"]
).map(lambda last: last + b"\r\n\r\n")
BEYOND = st.sampled_from([b""] * 8 + [b"\r\n", b"\n", b"x", OK + b"content-length: 3\r\n\r\nabc", b"0\r\n\r\n"])
WRONG_LINES = st.sampled_from(
    b"""content-length: 5, 5|content-length: 6|content-length: +5|content-length: 0x5|content-length:|content-length: 5
content-length: 99999999999999999999999|content-length: -1|content-length: 05 |transfer-encoding: chunked
transfer-encoding: gzip, chunked|transfer-encoding: chunked, chunked|transfer-encoding: identity|transfer-encoding:
transfer-encoding: xchunked|transfer-encoding:\tChunked |transfer-encoding: chunked;q=1|transfer-encoding: \vchunked
connection: upgrade|x : y| x: y|\tfolded|: y|x|x(: y||x: a\0b|x\xe9: y|x: a\vb|x: a\x7f|x: \rb
HTTP/1.1 200 OK|HTTP/1.1 101 Upgrade|HTTP/1.1 100|HTTP/1.0 200|HTTP/2.0 200|HTTP/1.1 20|HTTP/1.1 099 OK|http/1.1 200 OK
5 |5\t|-5|0x5|g|fffffffffffffffff|5;|5;\0""".replace(b"\n", b"|").split(b"|")
)
WRONG_BYTES = st.sampled_from(
    [b"", b"\r", b"\n", b"\r\n", b" ", b"\t", b"\0", b":", b";", b"0", b"5", b"\x7f", b"\xff"]
)


@st.composite
def answers(draw: st.DrawFn) -> bytes:
    made = bytearray()
    for status in draw(st.lists(INTERIM, max_size=1)):
        made += b"\r\n".join([b"HTTP/1.1 " + status + draw(REASONS), *draw(st.lists(LINES, max_size=1)), b"", b""])
    framing, body = draw(
        st.sampled_from([(b"content-length: 5", b"hello"), (b"Content-Length:0 ", b""), (b"x: y", b"whatever comes")])
        | st.builds(lambda *parts: (b"Transfer-Encoding: Chunked", b"".join(parts)), CHUNKS, CHUNKS, LAST)
    )
    version = draw(st.sampled_from([b"HTTP/1.1 "] * 6 + [b"HTTP/1.0 "]))
    lines = draw(st.permutations([framing, *draw(st.lists(LINES, max_size=2))]))
    made += b"\r\n".join([version + draw(STATUSES) + draw(REASONS), *lines, b"", b""])
    return bytes(made) + body + draw(BEYOND)


@st.composite
def mutated(draw: st.DrawFn) -> bytes:
    """An answer with a line put in or exchanged, or a few of its bytes."""
    made = draw(answers())
    if draw(st.booleans()):
        lines = made.split(b"\r\n")
        at = draw(st.integers(0, len(lines) - 1))
        lines[at : at + draw(st.integers(0, 1))] = [draw(WRONG_LINES)]
        made = b"\r\n".join(lines)
    for _ in range(draw(st.integers(0, 2))):
        at = draw(st.integers(0, len(made)))
        made = made[:at] + draw(WRONG_BYTES) + made[at + draw(st.integers(0, 2)) :]
    return made
