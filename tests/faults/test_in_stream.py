"""The table of faults after the first content: nothing is asked again, and the client is told in the stream."""

from collections.abc import Sequence

import pytest
import trio
from attrs import frozen

from tests.fake_upstream import Close, Pause, Reset, Send, Stall, Step, split
from tests.faults.answers import ROLE, TEXT, always, begun, event, good, says, streamed
from tests.faults.setting import GONE_S, events, start, text_of
from tests.given_time import within

TEN = "0123456789"
SAID = [ROLE, *map(says, TEN)]
LAST_CHUNK = Send(b"0\r\n\r\n")


@frozen
class Break:
    """What follows ten tokens, the code of the error event, and what the attempt's record says."""

    steps: Sequence[Step]
    code: str
    kind: str


def then(*raw: bytes) -> list[Step]:
    """The stream goes on and says this."""
    return begun(*raw)[1:]


BREAKS = {
    "reset": Break([Pause(0.05), Reset()], "stream_interrupted", "reset"),
    "closed": Break([Close()], "stream_interrupted", "reset"),
    "end without a finish reason": Break([LAST_CHUNK, Close()], "stream_interrupted", "reset"),
    "an error of its own": Break(then(event({"error": {"message": "no"}})), "stream_interrupted", "server"),
    "broken JSON": Break(then(b"data: {oops\n\n"), "invalid_upstream_response", "invalid"),
    "no JSON object": Break(then(b"data: 1\n\n"), "invalid_upstream_response", "invalid"),
    "bad chunk": Break([Send(b"zz\r\n")], "invalid_upstream_response", "invalid"),
    "line over the cap": Break(then(*[b"x" * 1_000_000] * 40), "upstream_too_large", "too_large"),
    "stall": Break([Stall()], "stream_idle_timeout", "idle"),
    "comments for ever": Break([*then(b": x\n\n"), Stall()], "stream_idle_timeout", "idle"),
}


@pytest.mark.parametrize("fault", BREAKS.values(), ids=BREAKS)
async def test_a_stream_that_breaks(nursery: trio.Nursery, fault: Break) -> None:
    timeouts = "{ idle_s = 0.2 }" if fault.kind == "idle" else "{}"
    s = await start(nursery, [always([*begun(*SAID), *fault.steps]), good], timeouts=timeouts)
    answer = await s.ask(stream=True)
    *said, last = events(answer.body)
    assert "".join(each["choices"][0]["delta"]["content"] for each in said) == TEN
    assert (last["error"]["type"], last["error"]["code"]) == ("upstream_error", fault.code)
    assert last["error"]["request_id"] == answer.headers["x-request-id"]
    assert s.asked() == [1, 0]
    assert await s.attempts() == [("t1", "primary", "failed", fault.kind)]
    record = await s.record()
    assert (record.outcome, record.error_code, record.first_token_ms is None) == ("error", fault.code, False)
    assert record.usage_source == "estimated"
    assert (record.prompt_tokens or 0) >= 1
    assert (record.completion_tokens or 0) >= 1
    with within(GONE_S):
        await s.fakes["t1"].wait_closed(1)


async def test_the_usage_so_far_is_recorded(nursery: trio.Nursery) -> None:
    """Anthropic says at the start what the prompt costs; what came of the answer is estimated."""
    head = {"id": "m", "type": "message", "role": "assistant", "model": "m", "content": []}
    raw = [
        event({"type": "message_start", "message": {**head, "usage": {"input_tokens": 7, "output_tokens": 1}}}),
        event({"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}}),
        event({"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "hi"}}),
    ]
    s = await start(nursery, [always([*begun(*raw), Close()])], wire="anthropic")
    assert events((await s.ask(stream=True)).body)[-1]["error"]["code"] == "stream_interrupted"
    record = await s.record()
    assert (record.prompt_tokens, record.usage_source) == (7, "estimated")
    assert (record.completion_tokens or 0) >= 1


async def test_a_stream_in_single_bytes(nursery: trio.Nursery) -> None:
    """Every character of more than one byte is split; each byte is an HTTP chunk and a write of its own."""
    s = await start(nursery, [always(streamed(sizes=[1] * 10_000))])
    answer = await s.ask(stream=True)
    assert (text_of(answer), events(answer.body)[-1]) == (TEXT, "[DONE]")


async def test_the_head_and_the_chunks_in_single_bytes(nursery: trio.Nursery) -> None:
    raw = b"".join(step.data for step in streamed() if isinstance(step, Send))
    s = await start(nursery, [always([Send(byte) for byte in split(raw, [1] * len(raw))])])
    assert text_of(await s.ask(stream=True)) == TEXT
