"""What requests and answers say, in the record: end to end in virtual time over a scripted upstream."""

from typing import Any

import orjson
import pytest
import trio
from trio.testing import MockClock

from clawgw.config.load import load
from clawgw.errors import GatewayError
from clawgw.gateway import PlainAnswer
from clawgw.ledger.record import Bodies
from clawgw.wire.checks.parse import parse_embeddings_request
from tests.living import live
from tests.scripted_upstream import Reply
from tests.test_gateway import (
    CONFIG,
    END,
    ENVIRON,
    ROLE,
    Setting,
    arrival,
    chat,
    chunk,
    completion,
    error_reply,
    setting,
)

KEY = ENVIRON["KEY_A"]
SAID = {"model": "both", "messages": [{"role": "user", "content": "hi"}]}


def keeping(*replies: Reply, log: str = "") -> Setting:
    """A gateway whose targets, in order, answer so."""
    one, two = (*replies, *replies)[:2]
    s = setting({"one": one, "two": two})
    snapshot = load(
        f"{CONFIG}[log]\nbodies = true\n{log}", ENVIRON, read_file=lambda _: pytest.fail("no file is named")
    )
    s.gateway.live = live(snapshot, s.upstream)
    return s


def said(bodies: Bodies | None) -> tuple[Any, Any]:
    """Request and answer, as data."""
    assert bodies is not None
    assert bodies.request is not None
    return orjson.loads(bodies.request), None if bodies.response is None else orjson.loads(bodies.response)


async def test_nothing_unless_it_is_wanted(autojump_clock: MockClock) -> None:
    s = setting({"one": completion()})
    await s.gateway.answer(chat("both"), arrival(s))
    assert s.record.bodies is None


async def test_a_plain_answer_as_its_client_gets_it(autojump_clock: MockClock) -> None:
    s = keeping(completion(f"the key is {KEY}"))
    answer = await s.gateway.answer(chat("both", user=KEY), arrival(s))
    assert isinstance(answer, PlainAnswer)
    assert said(s.record.bodies) == (
        {**SAID, "user": "[redacted]"},
        orjson.loads(answer.body.replace(KEY.encode(), b"[redacted]")),
    )


async def test_a_stream(autojump_clock: MockClock) -> None:
    s = keeping(Reply(body=[ROLE, chunk({"content": KEY[:9]}), 1.0, chunk({"content": KEY[9:]}), *END]))
    stream = await s.gateway.answer(chat("both", stream=True), arrival(s))
    assert not isinstance(stream, PlainAnswer)
    while await stream.receive():
        pass
    request, response = said(s.record.bodies)
    assert request == {**SAID, "stream": True}
    assert response["choices"][0]["message"] == {"role": "assistant", "content": "[redacted]"}
    assert response["usage"]["completion_tokens"] == 2


async def test_of_a_stream_whose_client_leaves_what_there_was(autojump_clock: MockClock) -> None:
    s = keeping(Reply(body=[ROLE, chunk({"content": "Once"}), 1.0, chunk({"content": "upon"}), *END]))
    stream = await s.gateway.answer(chat("both", stream=True), arrival(s))
    assert not isinstance(stream, PlainAnswer)
    await stream.receive()
    stream.close()
    assert s.record.outcome == "cancelled"
    _, response = said(s.record.bodies)
    assert response["choices"][0]["message"]["content"] == "Once"


async def test_of_a_stream_that_breaks_off_what_there_was_and_the_error(autojump_clock: MockClock) -> None:
    s = keeping(Reply(body=[ROLE, chunk({"content": "Once"})]))
    stream = await s.gateway.answer(chat("both", stream=True), arrival(s))
    assert not isinstance(stream, PlainAnswer)
    while await stream.receive():
        pass
    _, response = said(s.record.bodies)
    assert response["choices"][0]["message"]["content"] == "Once"
    assert response["error"]["code"] == "stream_interrupted"


async def test_an_error(autojump_clock: MockClock) -> None:
    s = keeping(error_reply(400))
    with pytest.raises(GatewayError) as raised:
        await s.gateway.answer(chat("both"), arrival(s))
    assert said(s.record.bodies) == (SAID, raised.value.body("req_1"))


async def test_a_client_that_leaves_before_there_is_an_answer(autojump_clock: MockClock) -> None:
    s = keeping(completion())
    with trio.move_on_after(0.1):
        await s.gateway.answer(chat("both"), arrival(s))
    assert s.record.outcome == "cancelled"
    assert said(s.record.bodies) == (SAID, None)


async def test_embeddings(autojump_clock: MockClock) -> None:
    reply = orjson.dumps(
        {
            "object": "list",
            "model": "e",
            "data": [{"object": "embedding", "index": 0, "embedding": [0.5, -1.0]}],
            "usage": {"prompt_tokens": 1, "total_tokens": 1},
        }
    )
    s = keeping(Reply(body=[reply]))
    await s.gateway.answer(parse_embeddings_request(b'{"model":"one/e","input":"x"}'), arrival(s))
    request, response = said(s.record.bodies)
    assert request == {"model": "one/e", "input": "x"}
    assert response["data"][0]["embedding"] == [0.5, -1.0]


async def test_no_more_than_is_wanted(autojump_clock: MockClock) -> None:
    s = keeping(completion("hello " * 100), log="max_body_bytes = 30")
    await s.gateway.answer(chat("both"), arrival(s))
    assert s.record.bodies == Bodies(
        '{"model":"both","messages":[{"[truncated]', '{"id":"c1","object":"chat.comp[truncated]'
    )
