import json
from typing import Any

import orjson
import pytest
import trio
import trio.testing
from attrs import frozen

from clawgw.engine.echo import RECEIVE_BYTES, EchoUpstream
from clawgw.engine.upstream import Call, Destination, Exchange, Head
from clawgw.wire.failure import Kind, WireError

# "Hello world, hello." is six tokens.
SIX_TOKENS = ["Hell", "o", " worl", "d,", " hell", "o."]


def call(path: str = "/chat/completions", content: str = "Hello world, hello.", **fields: Any) -> Call:
    body = {"model": "echo", "messages": [{"role": "user", "content": content}], **fields}
    return Call(Destination(f"https://echo/v1{path}?x=y", {}, 1.5), orjson.dumps(body))


@frozen
class Answered:
    head: Head
    exchange: Exchange

    async def receive(self) -> bytes:
        return await self.exchange.receive()


async def ask(upstream: EchoUpstream, request: Call) -> Answered:
    exchange = upstream.open(request)
    return Answered(await exchange.head(), exchange)


async def read_all(answered: Answered) -> list[bytes]:
    pieces = []
    while piece := await answered.receive():
        pieces.append(piece)
    return pieces


def contents(piece: bytes) -> list[str]:
    """The contents of the chunks in what one read brought."""
    events = [event.removeprefix(b"data: ") for event in piece.split(b"\n\n") if event]
    choices = [choice for event in events if event != b"[DONE]" for choice in orjson.loads(event)["choices"]]
    return [choice["delta"]["content"] for choice in choices if choice["delta"].get("content")]


async def test_a_plain_answer_comes_at_once() -> None:
    response = await ask(EchoUpstream(), call())
    assert (response.head.status, response.head.headers["content-type"]) == (200, "application/json")
    (body,) = await read_all(response)
    assert json.loads(body)["choices"][0]["message"]["content"] == "Hello world, hello."
    assert await response.receive() == b""


async def test_a_plain_answer_at_a_pace_takes_its_time(autojump_clock: trio.testing.MockClock) -> None:
    started = trio.current_time()
    response = await ask(EchoUpstream(4), call())
    assert trio.current_time() - started == pytest.approx(1.5)
    (body,) = await read_all(response)
    assert json.loads(body)["usage"]["completion_tokens"] == 6
    assert trio.current_time() - started == pytest.approx(1.5)


async def test_a_stream_has_an_event_a_token_and_many_in_one_read() -> None:
    response = await ask(EchoUpstream(), call(stream=True, stream_options={"include_usage": True}))
    assert (response.head.status, response.head.headers["content-type"]) == (200, "text/event-stream")
    (piece,) = await read_all(response)
    assert contents(piece) == SIX_TOKENS
    *_, usage, done, rest = piece.split(b"\n\n")
    assert json.loads(usage.removeprefix(b"data: "))["usage"]["completion_tokens"] == 6
    assert (done, rest) == (b"data: [DONE]", b"")


async def test_a_long_stream_comes_in_bounded_reads() -> None:
    pieces = await read_all(await ask(EchoUpstream(), call(content="x" * 40_000, stream=True)))
    assert sum(len(contents(piece)) for piece in pieces) == 10_000
    assert len(pieces) > 10
    assert all(len(piece) < RECEIVE_BYTES + 1000 for piece in pieces)


async def test_a_stream_at_a_pace_brings_each_token_when_it_is_due(autojump_clock: trio.testing.MockClock) -> None:
    response = await ask(EchoUpstream(4), call(stream=True))
    started = trio.current_time()
    seen = []
    while piece := await response.receive():
        seen.append((trio.current_time() - started, contents(piece)))
    assert seen == [(0, []), *((0.25 * (at + 1), [token]) for at, token in enumerate(SIX_TOKENS[:-1])), (1.5, ["o."])]


async def test_a_reader_that_is_behind_gets_all_that_is_due(mock_clock: trio.testing.MockClock) -> None:
    response = await ask(EchoUpstream(4), call(stream=True))
    mock_clock.jump(0.8)
    assert contents(await response.receive()) == SIX_TOKENS[:3]
    mock_clock.jump(10)
    assert contents(await response.receive()) == SIX_TOKENS[3:]
    assert await response.receive() == b""


async def test_an_abort_wakes_whoever_waits(autojump_clock: trio.testing.MockClock) -> None:
    response = await ask(EchoUpstream(0.001), call(stream=True))
    await response.receive()

    async def read() -> None:
        with pytest.raises(WireError) as caught:
            await response.receive()
        assert caught.value.failure.kind is Kind.RESET
        assert trio.current_time() - started == pytest.approx(1)

    started = trio.current_time()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(read)
        await trio.sleep(1)
        response.exchange.abort()
        response.exchange.abort()
    with pytest.raises(WireError):
        await response.receive()


async def test_a_text_completion_and_its_stream() -> None:
    plain = await ask(EchoUpstream(), call("/completions", prompt="Hello"))
    assert json.loads((await read_all(plain))[0])["choices"][0]["text"] == "Hello"
    stream = await ask(EchoUpstream(), call("/completions", prompt="Hello", stream=True))
    events = b"".join(await read_all(stream)).split(b"\n\n")
    texts = [json.loads(event.removeprefix(b"data: "))["choices"][0]["text"] for event in events[:-2]]
    assert (texts, events[-2:]) == (["Hell", "o", ""], [b"data: [DONE]", b""])


async def test_embeddings() -> None:
    response = await ask(EchoUpstream(), call("/embeddings", input="Hello", dimensions=3))
    assert len(json.loads((await read_all(response))[0])["data"][0]["embedding"]) == 3


async def test_the_list_of_models() -> None:
    response = await ask(EchoUpstream(), call("/models"))
    assert [model["id"] for model in json.loads((await read_all(response))[0])["data"]] == ["echo"]


@pytest.mark.parametrize(
    ("request_", "status", "code", "param"),
    [
        (call(temperature=3), 400, None, "temperature"),
        (Call(Destination("https://echo/v1/chat/completions", {}, 1), b"{"), 400, None, None),
        (call("/embeddings", input="a", dimensions=2**30), 400, None, "dimensions"),
        (call("/audio/speech"), 404, "not_found", None),
    ],
)
async def test_what_is_wrong_is_answered_as_openai_does(
    request_: Call, status: int, code: str | None, param: str | None
) -> None:
    upstream = EchoUpstream()
    response = await ask(upstream, request_)
    assert response.head.status == status
    error = json.loads((await read_all(response))[0])["error"]
    assert set(error) == {"message", "type", "param", "code"}
    assert (error["type"], error["param"], error["code"]) == ("invalid_request_error", param, code)
    await upstream.aclose()


async def test_a_wait_may_be_cancelled_and_taken_up_again(autojump_clock: trio.testing.MockClock) -> None:
    started = trio.current_time()
    exchange = EchoUpstream(4).open(call())
    assert exchange.resumable
    with trio.move_on_after(0.5):
        await exchange.head()
    with pytest.raises(trio.TooSlowError):
        await exchange.head(started + 1.0)
    assert (await exchange.head()).status == 200
    assert trio.current_time() - started == pytest.approx(1.5)


async def test_a_stream_may_be_waited_for_until_a_time(autojump_clock: trio.testing.MockClock) -> None:
    started = trio.current_time()
    exchange = EchoUpstream(1).open(call(stream=True))
    await exchange.head(started + 1.0)
    late, said = 0, b""
    while not exchange.ended:
        try:
            said += await exchange.receive(trio.current_time() + 0.4)
        except trio.TooSlowError:
            late += 1
    assert late > 0
    assert said.endswith(b"data: [DONE]\n\n")
    assert await exchange.receive() == b""


async def test_an_abort_ends_the_wait_for_a_head(nursery: trio.Nursery, autojump_clock: trio.testing.MockClock) -> None:
    exchange = EchoUpstream(1).open(call())

    async def abort() -> None:
        await trio.sleep(0.5)
        exchange.abort()

    nursery.start_soon(abort)
    with pytest.raises(WireError, match="aborted"):
        await exchange.head()
    assert trio.current_time() == 0.5
