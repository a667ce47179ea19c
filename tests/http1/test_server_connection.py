"""A connection in virtual time, over streams in memory: every phase with its exact time."""

from functools import partial

import pytest
import trio
from trio.testing import MockClock

from clawgw.http1.request_head import H2_PREFACE, BadRequest
from clawgw.http1.server_exchange import ServerExchange
from tests.http1.served import connect, deaf, hello, slow, without_date

GET = b"GET /a HTTP/1.1\r\nhost: h\r\n\r\n"
POST = b"POST /b HTTP/1.1\r\nhost: h\r\ncontent-length: 5\r\n\r\nhello"
CHUNKED = b"POST /c HTTP/1.1\r\nhost: h\r\ntransfer-encoding: chunked\r\n\r\n"
CLOSE = b"GET /d HTTP/1.1\r\nhost: h\r\nconnection: close\r\n\r\n"
NONE, FIVE = (b"HTTP/1.1 200 OK\r\ncontent-length: 1\r\n\r\n" + size for size in (b"0", b"5"))
OK = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"
LAST_OK = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\nok"

pytestmark = pytest.mark.usefixtures("autojump_clock")


async def test_one_request_after_another(nursery: trio.Nursery, autojump_clock: MockClock) -> None:
    served = connect(nursery, hello)
    assert without_date(await served.ask(GET)) == NONE
    await trio.sleep(9.9)
    assert without_date(await served.ask(POST)) == FIVE
    assert without_date(await served.ask(CHUNKED + b"2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n")) == FIVE
    assert served.responder.asked == ["/a", "/b", "/c"]


async def test_requests_sent_at_once_are_answered_in_order(nursery: trio.Nursery, autojump_clock: MockClock) -> None:
    async def answer(exchange: ServerExchange) -> None:
        await trio.sleep(5 if exchange.head.target == b"/a" else 0)
        await exchange.reply(200, {}, exchange.head.target)

    served = connect(nursery, answer)
    await served.send(GET + POST + CLOSE + GET)
    bodies = [part[-2:] for part in (await served.rest()).split(b"HTTP/1.1 200 OK")[1:]]
    assert bodies == [b"/a", b"/b", b"/d"], "nothing is answered after a close"


async def test_very_many_requests_sent_at_once(nursery: trio.Nursery, autojump_clock: MockClock) -> None:
    served = connect(nursery, hello)
    await served.send(GET * 10_000)
    await trio.testing.wait_all_tasks_blocked()
    assert len(served.responder.asked) == 10_000


async def test_byte_by_byte(nursery: trio.Nursery, autojump_clock: MockClock) -> None:
    served = connect(nursery, hello)
    for byte in POST + GET:
        await served.send(bytes([byte]))
        await trio.sleep(0.01)
    assert without_date(await served.receive()) == FIVE + NONE


async def test_the_date_is_said(nursery: trio.Nursery, autojump_clock: MockClock) -> None:
    served = connect(nursery, hello)
    assert b"\r\ndate: " in await served.ask(GET)


# The client leaves


@pytest.mark.parametrize("close", [False, True], ids=["half", "whole"])
async def test_who_leaves_cancels_at_once(nursery: trio.Nursery, autojump_clock: MockClock, *, close: bool) -> None:
    served = connect(nursery, slow)
    await served.send(GET)
    await trio.sleep(3)
    await (served.client.aclose() if close else served.client.send_eof())
    await trio.sleep(1)
    assert served.responder.cancelled_at == [3]
    assert served.ended_at == 3


async def test_who_leaves_in_the_middle_of_a_body(nursery: trio.Nursery, autojump_clock: MockClock) -> None:
    served = connect(nursery, hello)
    await served.send(POST[:-1])
    await trio.sleep(3)
    await served.client.aclose()
    await trio.sleep(1)
    assert served.responder.cancelled_at == [3]


@pytest.mark.parametrize("size", [10, 60_000, 130_000, 1_000_000])
async def test_who_leaves_after_a_large_body(nursery: trio.Nursery, autojump_clock: MockClock, size: int) -> None:
    async def answer(exchange: ServerExchange) -> None:
        if exchange.whole_body() is None:
            while await exchange.receive():
                pass
        await slow(exchange)

    served = connect(nursery, answer)
    await served.send(b"POST / HTTP/1.1\r\nhost: h\r\ncontent-length: %d\r\n\r\n%b" % (size, bytes(size)))
    await trio.sleep(3)
    await served.client.aclose()
    await trio.sleep(1)
    assert served.responder.cancelled_at == [3]


async def test_who_leaves_while_idle(nursery: trio.Nursery, autojump_clock: MockClock) -> None:
    served = connect(nursery, hello)
    await served.ask(GET)
    await served.client.aclose()
    await trio.sleep(1)
    assert served.ended_at == 0


# The whole body


@pytest.mark.parametrize(
    ("raw", "body"),
    [(GET, b""), (POST, b"hello"), (POST[:-1], None), (CHUNKED + b"0\r\n\r\n", None)],
    ids=["none", "there", "not there", "in chunks"],
)
async def test_a_body_may_be_there(
    nursery: trio.Nursery, autojump_clock: MockClock, raw: bytes, body: bytes | None
) -> None:
    bodies = list[bytes | None]()

    async def answer(exchange: ServerExchange) -> None:
        bodies.append(exchange.whole_body())
        await hello(exchange)

    served = connect(nursery, answer)
    await served.send(raw)
    await trio.sleep(1)
    assert bodies == [body]


# Time


@pytest.mark.parametrize("before", [b"", b"GET / HTTP/1.1\r\nx-drip: "])
async def test_a_head_has_to_be_there_in_time(nursery: trio.Nursery, autojump_clock: MockClock, before: bytes) -> None:
    served = connect(nursery, hello)
    for byte in before + b"x" * 30:
        if before and served.ended_at is None:
            await served.send(bytes([byte]))
        await trio.sleep(1)
    assert served.ended_at == 10
    assert served.responder.asked == []


async def test_an_idle_connection_is_closed(nursery: trio.Nursery, autojump_clock: MockClock) -> None:
    served = connect(nursery, hello)
    await trio.sleep(4)
    await served.ask(GET)
    await trio.sleep(20)
    assert served.ended_at == 14


async def test_an_answer_takes_as_long_as_it_takes(nursery: trio.Nursery, autojump_clock: MockClock) -> None:
    served = connect(nursery, slow)
    await served.send(GET)
    await trio.sleep(101)
    assert without_date(await served.receive()) == OK


# Bodies that nobody reads


async def test_a_body_that_is_there_is_dropped(nursery: trio.Nursery, autojump_clock: MockClock) -> None:
    served = connect(nursery, deaf)
    assert without_date(await served.ask(POST + GET)) == OK + OK


async def test_a_body_that_comes_in_time_is_dropped(nursery: trio.Nursery, autojump_clock: MockClock) -> None:
    served = connect(nursery, deaf)
    await served.send(POST[:-2])
    await trio.sleep(1.5)
    await served.send(POST[-2:])
    assert without_date(await served.receive()) == OK
    assert without_date(await served.ask(GET)) == OK


async def test_a_body_that_does_not_come_ends_the_connection(nursery: trio.Nursery, autojump_clock: MockClock) -> None:
    served = connect(nursery, deaf)
    await served.send(POST[:-2])
    assert without_date(await served.rest()) == LAST_OK
    assert trio.current_time() == 2, "the client sees the end as soon as the answer"
    await trio.sleep(10)
    assert served.ended_at == 4, "and may go on sending a little"


@pytest.mark.parametrize("rest", [b"x\r\n", b"5\r\nhelloXX"])
async def test_a_body_that_turns_out_bad(nursery: trio.Nursery, autojump_clock: MockClock, rest: bytes) -> None:
    served = connect(nursery, deaf)
    await served.send(CHUNKED + rest)
    assert without_date(await served.rest()) == LAST_OK


# Expect: 100-continue

EXPECTING = POST[:-5].replace(b"\r\n\r\n", b"\r\nexpect: 100-continue\r\n\r\n")


async def test_who_waits_is_told_to_go_on_when_the_body_is_wanted(
    nursery: trio.Nursery, autojump_clock: MockClock
) -> None:
    served = connect(nursery, hello)
    assert await served.ask(EXPECTING) == b"HTTP/1.1 100 Continue\r\n\r\n"
    assert without_date(await served.ask(b"hello")) == FIVE
    assert without_date(await served.ask(GET)) == NONE


async def test_who_does_not_wait_is_told_nothing(nursery: trio.Nursery, autojump_clock: MockClock) -> None:
    served = connect(nursery, hello)
    assert without_date(await served.ask(EXPECTING + b"hello")) == FIVE


async def test_who_waits_for_nothing_is_answered_at_once(nursery: trio.Nursery, autojump_clock: MockClock) -> None:
    served = connect(nursery, deaf)
    await served.send(EXPECTING)
    assert without_date(await served.rest()) == LAST_OK
    assert trio.current_time() == 0


# What is no request


@pytest.mark.parametrize("raw", [b"NO\r\n\r\n", b"GET / HTTP/1.1\r\n\r\n", b"GET / HTTP/1.1\nhost: h\n\n"])
async def test_what_is_no_request_is_refused_and_the_connection_closed(
    nursery: trio.Nursery, autojump_clock: MockClock, raw: bytes
) -> None:
    served = connect(nursery, hello)
    await served.send(GET + raw + GET)
    answers = await served.rest()
    assert answers.count(b"HTTP/1.1 200 OK") == 1
    assert answers.count(b"HTTP/1.1 400 Bad Request") == 1
    assert answers.count(b"\r\nconnection: close\r\n") == 1
    assert served.responder.asked == ["/a"]


async def test_a_bad_body_is_told_to_whom_reads_it(nursery: trio.Nursery, autojump_clock: MockClock) -> None:
    raised: list[str] = []

    async def answer(exchange: ServerExchange) -> None:
        try:
            await hello(exchange)
        except BadRequest as error:
            raised.append(error.message)
            exchange.closing = True
            await exchange.reply(400, {}, b"no")

    served = connect(nursery, answer)
    await served.send(CHUNKED + b"zz\r\n")
    assert (await served.rest()).startswith(b"HTTP/1.1 400 Bad Request")
    assert raised == ["the request is not valid HTTP/1.1"]


async def test_an_answer_that_nobody_gives_ends_the_connection(
    nursery: trio.Nursery, autojump_clock: MockClock
) -> None:
    async def silent(_exchange: ServerExchange) -> None:
        return

    served = connect(nursery, silent)
    await served.send(GET)
    assert await served.rest() == b""


# Streams


async def test_a_stream(nursery: trio.Nursery, autojump_clock: MockClock) -> None:
    async def answer(exchange: ServerExchange) -> None:
        await exchange.start(200, {"content-type": "text/plain"})
        assert exchange.started
        for part in (b"a", b"bc"):
            await exchange.write(part)
            await trio.sleep(1)
        await exchange.finish()

    served = connect(nursery, answer)
    head = b"HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ntransfer-encoding: chunked\r\n\r\n"
    assert without_date(await served.ask(GET)) == head + b"1\r\na\r\n"
    await trio.sleep(1)
    assert await served.receive() == b"2\r\nbc\r\n"
    await trio.sleep(1)
    assert await served.receive() == b"0\r\n\r\n"
    assert without_date(await served.ask(GET)) == head + b"1\r\na\r\n"


async def test_to_a_client_of_http_1_0_it_ends_with_the_connection(
    nursery: trio.Nursery, autojump_clock: MockClock
) -> None:
    async def answer(exchange: ServerExchange) -> None:
        await exchange.start(200, {})
        await exchange.write(b"a")
        await exchange.finish(b"b")

    served = connect(nursery, answer)
    await served.send(b"GET / HTTP/1.0\r\n\r\n")
    assert without_date(await served.rest()) == b"HTTP/1.1 200 OK\r\nconnection: close\r\n\r\nab"


async def test_work_beside_and_later(nursery: trio.Nursery, autojump_clock: MockClock) -> None:
    done: list[tuple[str, float]] = []

    async def answer(exchange: ServerExchange) -> None:
        async def beside() -> None:
            done.append(("beside", trio.current_time()))

        exchange.call_later(3, lambda: exchange.start_soon(beside))
        exchange.call_later(4, lambda: done.append(("never", 0)))()
        await trio.sleep(5)
        await exchange.reply(200, {}, b"")

    served = connect(nursery, answer)
    await served.send(GET)
    await trio.sleep(10)
    assert done == [("beside", 3)]
    assert served.responder.cancelled_at == []


async def test_nothing_is_called_later_for_a_client_that_has_left(
    nursery: trio.Nursery, autojump_clock: MockClock
) -> None:
    async def answer(exchange: ServerExchange) -> None:
        exchange.call_later(3, partial(exchange.start_soon, trio.lowlevel.checkpoint))
        await slow(exchange)

    left, other = connect(nursery, answer), connect(nursery, hello)
    await left.send(GET)
    await trio.sleep(1)
    await left.client.aclose()
    await trio.sleep(5)
    assert left.ended_at == 1
    assert (await other.ask(GET)).endswith(b"\r\n\r\n0")


async def test_a_client_may_be_taken_for_gone(nursery: trio.Nursery, autojump_clock: MockClock) -> None:
    async def answer(exchange: ServerExchange) -> None:
        exchange.leave()
        await slow(exchange)

    served = connect(nursery, answer)
    await served.send(GET)
    assert await served.rest() == b""
    assert served.responder.cancelled_at == [0]


# Draining


async def test_a_drain_ends_what_is_idle_and_what_is_answered(nursery: trio.Nursery, autojump_clock: MockClock) -> None:
    busy = connect(nursery, slow)
    idle, late = connect(nursery, slow, of=busy), connect(nursery, slow, of=busy)
    await busy.send(GET + GET)
    await trio.sleep(1)
    busy.server.drain()
    await trio.sleep(1)
    assert (idle.ended_at, late.ended_at) == (1, 1)
    assert await idle.rest() == b""
    assert without_date(await busy.rest()) == LAST_OK
    assert trio.current_time() == 100
    after = connect(nursery, slow, of=busy)
    assert await after.rest() == b""


# Other protocols

WEBSOCKET = b"GET /ws HTTP/1.1\r\nhost: h\r\nUpgrade: WebSocket\r\nconnection: keep-alive, Upgrade\r\n\r\n"


@pytest.mark.parametrize("raw", [WEBSOCKET + b"more", H2_PREFACE + b"frames"])
@pytest.mark.parametrize("size", [1, 7, 1000])
async def test_another_protocol_is_handed_on_with_every_byte(
    nursery: trio.Nursery, autojump_clock: MockClock, raw: bytes, size: int
) -> None:
    served, sent = connect(nursery, hello), 0
    for at in range(0, len(raw), size):
        if served.ended_at is None:
            await served.send(raw[at : at + size])
            await trio.testing.wait_all_tasks_blocked()
            sent = at + size
    assert served.result == raw[:sent]
    assert served.responder.asked == []


@pytest.mark.parametrize(
    "raw",
    [
        WEBSOCKET.replace(b"GET", b"POST"),
        WEBSOCKET.replace(b"WebSocket", b"h2c"),
        WEBSOCKET.replace(b"keep-alive, Upgrade", b"keep-alive"),
        WEBSOCKET.replace(b"host", b"connection: keep-alive\r\nhost"),
        WEBSOCKET.replace(b"host", b"upgrade: h2c\r\nhost"),
        WEBSOCKET.replace(b"\r\n\r\n", b"\r\ncontent-length: 4\r\n\r\n") + b"body",
        WEBSOCKET.replace(b"\r\n\r\n", b"\r\ntransfer-encoding: chunked\r\n\r\n") + b"4\r\nbody\r\n0\r\n\r\n",
    ],
)
async def test_any_other_upgrade_is_ignored_and_its_body_read(
    nursery: trio.Nursery, autojump_clock: MockClock, raw: bytes
) -> None:
    served = connect(nursery, hello)
    answers = await served.ask(raw + GET)
    assert answers.count(b"HTTP/1.1 200 OK") == 2
    assert [answer[-1:] for answer in answers.split(b"HTTP/1.1")[1:]] == [b"4" if b"body" in raw else b"0", b"0"]
    assert served.responder.asked == ["/ws", "/a"]
