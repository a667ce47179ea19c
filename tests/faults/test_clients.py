"""The table of faults on the client's side: clients that leave, that smuggle, and that send what is no request."""

import contextlib
import json
from collections.abc import Sequence

import pytest
import trio

from tests.fake_upstream import Pause, Stall, Step
from tests.faults.answers import ROLE, always, begun, good, says
from tests.faults.setting import GONE_S, Setting, both_ways, chat, seen, start
from tests.given_time import within
from tests.web.serving import Client

# Clients that leave


@both_ways
@pytest.mark.parametrize(
    "route",
    ['strategy = "failover"', 'strategy = "hedge"\nhedge_after = 0.01', 'strategy = "race"'],
    ids=["failover", "hedge", "race"],
)
async def test_who_leaves_before_the_answer_cancels_every_attempt(
    nursery: trio.Nursery, route: str, *, stream: bool
) -> None:
    s = await start(nursery, [always([Stall()])] * 2, route=route)
    asked = list(s.fakes.values())[: 1 if "failover" in route else 2]
    client = await s.begin(stream=stream)
    for fake in asked:
        await fake.wait_requests(1)
    await leave(s, client)
    assert [outcome for _, _, outcome, _ in await s.attempts()] == ["cancelled"] * len(asked)


@pytest.mark.parametrize("rest", [[Stall()], [Pause(0.01), *begun(says("more"))[1:]] * 200], ids=["silent", "talking"])
async def test_who_leaves_a_stream_cancels_it(nursery: trio.Nursery, rest: Sequence[Step]) -> None:
    s = await start(nursery, [always([*begun(ROLE, says("hi")), *rest])])
    client = await s.begin(stream=True)
    assert (await client.read_head())[0] == 200
    await client.read_chunk()
    await leave(s, client)
    record = await s.record()
    assert record.first_token_ms is not None
    assert record.usage_source == "estimated"
    assert (record.prompt_tokens or 0) >= 1
    assert (record.completion_tokens or 0) >= 1


async def test_who_leaves_while_the_head_is_held_back(nursery: trio.Nursery) -> None:
    """The client has its 200 and comments, and no winner is known."""
    s = await start(nursery, [always([Stall()])], config="[server]\nheader_hold_s = 0.05")
    client = await s.begin(stream=True)
    assert (await client.read_head())[0] == 200
    assert await client.read_chunk() == b": keepalive\n\n"
    await leave(s, client)


async def test_a_client_that_reads_nothing_holds_up_its_own_stream_only(nursery: trio.Nursery) -> None:
    """What the gateway reads ahead of a client is bounded by the sockets' buffers."""
    endless = [*begun(ROLE, says("hi")), *begun(says("x" * 60_000))[1:] * 2000]
    s = await start(nursery, [lambda received: endless if b"endless" in received.body else good(received)])
    client = await s.serving.connect()
    await client.send_post(chat(stream=True, user="endless"))
    await s.fakes["t1"].wait_requests(1)
    for _ in range(20):
        assert (await s.ask(stream=True)).status == 200
    assert len(s.ear.records) == 20  # the first is not over: 120 MB fit nowhere on the way
    client.stream.socket.close()


async def leave(s: Setting, client: Client) -> None:
    """Every upstream connection is closed within a second, and the record says 499."""
    await client.stream.aclose()
    with within(GONE_S):
        for fake in s.fakes.values():
            await fake.wait_closed(fake.accepted)
        record = await s.record()
    assert (record.outcome, record.status, record.error_code) == ("cancelled", 499, "client_closed_request")
    assert all(provider.in_flight == 0 for provider in s.serving.service.gateway.live.providers.values())


# Requests that two parsers would read in two ways

LENGTH = b"content-length: %d\r\n" % len(chat())
CHUNKED = b"transfer-encoding: chunked\r\n"
GOOD = chat()
IN_CHUNKS = b"%x\r\n%b\r\n0\r\n\r\n" % (len(GOOD), GOOD)


def post(fields: bytes, body: bytes = GOOD, line: bytes = b"POST /v1/chat/completions HTTP/1.1\r\n") -> bytes:
    return line + b"host: t\r\n" + fields + b"\r\n" + body


SMUGGLED = {
    "CL and TE": post(LENGTH + CHUNKED, IN_CHUNKS),
    "TE and CL": post(CHUNKED + LENGTH, IN_CHUNKS),
    "two lengths": post(LENGTH + b"content-length: 3\r\n"),
    "the same length twice": post(LENGTH + LENGTH),
    "the same length twice in one": post(b"content-length: %d, %d\r\n" % (len(GOOD), len(GOOD))),
    "two lengths in one": post(b"content-length: %d, 3\r\n" % len(GOOD)),
    "a length with a sign": post(b"content-length: +%d\r\n" % len(GOOD)),
    "a length that is none": post(b"content-length: ten\r\n"),
    "two hosts": post(LENGTH + b"host: u\r\n"),
    "the same host twice": post(LENGTH + b"host: t\r\n"),
    "no host": b"POST /v1/chat/completions HTTP/1.1\r\n" + LENGTH + b"\r\n" + GOOD,
    "TE twice": post(CHUNKED + CHUNKED, IN_CHUNKS),
    "TE chunked and more": post(b"transfer-encoding: chunked, identity\r\n", IN_CHUNKS),
    "TE unknown": post(b"transfer-encoding: xchunked\r\n", IN_CHUNKS),
    "space before the colon": post(LENGTH + b"x-a : b\r\n"),
    "NUL in a value": post(LENGTH + b"x-a: b\x00c\r\n"),
    "CR in a value": post(LENGTH + b"x-a: b\rc\r\n"),
    "NUL in a name": post(LENGTH + b"x\x00a: b\r\n"),
    "bare LF in the head": post(LENGTH + b"x-a: b\nx-c: d\r\n"),
    "bare LF after the request line": post(LENGTH, line=b"POST /v1/chat/completions HTTP/1.1\n"),
    "bare LF ends the head": post(LENGTH)[: -len(GOOD) - 2] + b"\n" + GOOD,
    "every line ends with a bare LF": post(LENGTH).replace(b"\r\n", b"\n"),
    "a folded line": post(LENGTH + b"x-a: b\r\n c\r\n"),
    "a folded length": post(b"content-length: 1\r\n %d\r\n" % len(GOOD)),
    "a chunk size that is none": post(CHUNKED, b"xyz\r\n"),
    "a negative chunk size": post(CHUNKED, b"-1\r\n"),
    "a chunk size with 0x": post(CHUNKED, b"0x5\r\nhello\r\n0\r\n\r\n"),
    "a chunk longer than it says": post(CHUNKED, b"3\r\nhello\r\n0\r\n\r\n"),
    "bare LF after a chunk's size": post(CHUNKED, IN_CHUNKS.replace(b"\r\n", b"\n", 1)),
    "bare LF after the last chunk": post(CHUNKED, IN_CHUNKS[:-2] + b"\n"),
    "bare LF in a trailer": post(CHUNKED, IN_CHUNKS[:-2] + b"a: b\nc: d\r\n\r\n"),
    "a folded trailer": post(CHUNKED, IN_CHUNKS[:-2] + b"a: b\r\n c\r\n\r\n"),
}


@pytest.mark.parametrize("split", [False, True], ids=["at once", "byte by byte"])
@pytest.mark.parametrize("raw", SMUGGLED.values(), ids=SMUGGLED)
async def test_ambiguous_requests_are_refused_and_never_forwarded(
    nursery: trio.Nursery, raw: bytes, *, split: bool
) -> None:
    s = await start(nursery, [good])
    client = await s.serving.connect()
    with within(GONE_S):
        try:
            for piece in [bytes([byte]) for byte in raw] if split else [raw]:
                await client.send(piece)
        except trio.BrokenResourceError:
            pass  # refused before all of it was sent
        answer = await client.read_answer()
        assert answer.status == 400
        assert answer.headers["connection"] == "close"
        assert seen(answer)[1] == "invalid_request_error"
        assert await client.read_to_end() == b""
    assert s.asked() == [0]


@pytest.mark.parametrize("ending", [b"\r\n", b"\n"])
async def test_a_second_request_hidden_behind_the_first(nursery: trio.Nursery, ending: bytes) -> None:
    """A pipelined head is judged like any other."""
    s = await start(nursery, [good])
    client = await s.serving.connect()
    second = post(LENGTH).replace(b"\r\n", ending)
    await client.send(post(LENGTH) + second)
    assert (await client.read_answer()).status == 200
    assert (await client.read_answer()).status == {b"\r\n": 200, b"\n": 400}[ending]


async def test_line_feeds_in_a_body_are_its_own_affair(nursery: trio.Nursery) -> None:
    s = await start(nursery, [good])
    body = GOOD.replace(b", ", b",\n ")
    assert b"\n " in body
    for size in (len(body), 1):
        client = await s.serving.connect()
        await client.send(post(b"content-length: %d\r\n" % len(body), b""))
        for at in range(0, len(body), size):
            await client.send(body[at : at + size])
        assert (await client.read_answer()).status == 200
        chunks = b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in (body[:9], body[9:]))
        await client.send(post(CHUNKED, chunks + b"0\r\nx-trailer: y\r\n\r\n"))
        assert (await client.read_answer()).status == 200


# What is no request

NO_REQUEST = {
    "nothing": b"",
    "no JSON": b"hello",
    "a list": b"[]",
    "a number": b"1",
    "null": b"null",
    "half": GOOD[:-1],
    "two": GOOD + GOOD,
    "NaN": GOOD[:-1] + b', "temperature": NaN}',
    "Infinity": GOOD[:-1] + b', "temperature": -Infinity}',
    "1e999": GOOD[:-1] + b', "temperature": 1e999}',
    "a lone surrogate": GOOD[:-1] + b', "user": "\\ud800"}',
    "bytes that are no UTF-8": GOOD[:-1] + b', "user": "\xff"}',
    "100 000 lists": GOOD[:-1] + b', "metadata": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    "100 000 objects": b'{"a":' * 100_000 + b"1" + b"}" * 100_000,
    "100 000 lists, not closed": b"[" * 100_000,
    "65 lists": GOOD[:-1] + b', "metadata": ' + b"[" * 65 + b"]" * 65 + b"}",
    "no model": json.dumps({"messages": [{"role": "user", "content": "hi"}]}).encode(),
    "no messages": b'{"model": "r"}',
}


@pytest.mark.parametrize("body", NO_REQUEST.values(), ids=NO_REQUEST)
async def test_what_is_no_request_is_refused_and_the_connection_goes_on(nursery: trio.Nursery, body: bytes) -> None:
    s = await start(nursery, [good])
    client = await s.serving.connect()
    with within(GONE_S):
        answer = await client.post(body)
        status, kind, _ = seen(answer)
        assert (status, kind) == (400, "invalid_request_error")
        assert answer.headers["x-should-retry"] == "false"
        assert s.asked() == [0]
        assert (await client.post(GOOD)).status == 200


@pytest.mark.parametrize("framing", [b"content-length: 100000000\r\n", CHUNKED], ids=["said", "unsaid"])
async def test_a_body_over_the_cap_is_never_read_whole(nursery: trio.Nursery, framing: bytes) -> None:
    s = await start(nursery, [good], config="[server]\nmax_body_bytes = 100000")
    client = await s.serving.connect()
    await client.send(post(framing, b""))
    sent = 0
    async with trio.open_nursery() as pouring:

        async def pour() -> None:
            nonlocal sent
            try:
                while True:
                    await client.send(b"10000\r\n%b\r\n" % bytes(65536))
                    sent += 65536
            except trio.BrokenResourceError:
                return

        pouring.start_soon(pour)
        with trio.fail_after(5):
            answer = await client.read_answer()
    assert seen(answer) == (413, "invalid_request_error", "request_too_large")
    assert answer.headers["connection"] == "close"
    assert s.asked() == [0]


async def test_a_head_that_drips_is_cut_off(nursery: trio.Nursery, monkeypatch: pytest.MonkeyPatch) -> None:
    """However regularly a byte comes, the whole head has to be there in time."""
    monkeypatch.setattr("clawgw.serve.server.HEAD_S", 0.3)
    s = await start(nursery, [good])
    client = await s.serving.connect()
    began = trio.current_time()
    with within(0.3 + GONE_S), contextlib.suppress(trio.BrokenResourceError, trio.ClosedResourceError):
        for byte in post(LENGTH + b"x-drip: " + b"x" * 1000):
            await client.send(bytes([byte]))
            await trio.sleep(0.02)
    assert trio.current_time() - began >= 0.3
    assert s.asked() == [0]


@pytest.mark.parametrize(
    ("head", "status"),
    [(b"x-many: 1\r\n" * 101, 431), (b"x-long: " + b"x" * 40_000 + b"\r\n", 431), (b"content-encoding: gzip\r\n", 415)],
    ids=["101 fields", "40 000 bytes", "compressed"],
)
async def test_heads_that_are_too_much(nursery: trio.Nursery, head: bytes, status: int) -> None:
    s = await start(nursery, [good])
    client = await s.serving.connect()
    with trio.fail_after(5):
        answer = await client.post(GOOD, head=head)
    assert seen(answer)[:2] == (status, "invalid_request_error")
    assert s.asked() == [0]
