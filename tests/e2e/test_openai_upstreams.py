"""The official `openai` package against the running gateway, with upstreams that are scripts.

`client` is `Any`: the package types its parameters more narrowly than the JSON that goes over the wire.
"""

import json
from collections.abc import Sequence
from typing import Any

import openai
import pytest

from tests.e2e.fake_thread import ThreadedFake
from tests.fake_upstream import Close, Reset, Send, Stall, Step, head, json_answer, sse_answer
from tests.given_time import Stopwatch

HI = [{"role": "user", "content": "Hi"}]


def sse(*events: dict[str, Any]) -> bytes:
    return "".join(f"data: {json.dumps(event)}\n\n" for event in events).encode()


def delta(**fields: Any) -> dict[str, Any]:
    choice = {"index": 0, "delta": fields, "finish_reason": None}
    return {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": [choice]}


def begun(*events: dict[str, Any]) -> list[Step]:
    """A stream that says this, and is not over."""
    raw = sse(*events)
    start = head(200, [("content-type", "text/event-stream"), ("transfer-encoding", "chunked")])
    return [Send(start), Send(b"%x\r\n%b\r\n" % (len(raw), raw))]


def test_anthropic_tool_use_is_a_tool_call(client: Any, fake: ThreadedFake) -> None:
    message = {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": "claude",
        "content": [
            {"type": "text", "text": "Let me look."},
            {"type": "tool_use", "id": "toolu_1", "name": "get_weather", "input": {"city": "Paris"}},
        ],
        "stop_reason": "tool_use",
        "usage": {"input_tokens": 3, "output_tokens": 5},
    }
    fake.answer = json_answer(200, message)
    completion = client.chat.completions.create(model="anthropic", messages=HI)
    choice = completion.choices[0]
    assert (choice.message.content, choice.finish_reason) == ("Let me look.", "tool_calls")
    (call,) = choice.message.tool_calls
    assert (call.id, call.function.name) == ("toolu_1", "get_weather")
    assert json.loads(call.function.arguments) == {"city": "Paris"}
    assert (completion.usage.prompt_tokens, completion.usage.completion_tokens) == (3, 5)


def test_gemini_stream(client: Any, fake: ThreadedFake) -> None:
    raw = sse(
        {"candidates": [{"content": {"parts": [{"text": "Bon"}]}}], "modelVersion": "gemini"},
        {"candidates": [{"content": {"parts": [{"text": "jour"}]}, "finishReason": "STOP"}], "modelVersion": "gemini"},
    )
    fake.answer = sse_answer(raw, [1] * len(raw))
    with client.chat.completions.stream(model="gemini", messages=HI) as stream:
        completion = stream.get_final_completion()
    assert completion.choices[0].message.content == "Bonjour"
    assert completion.choices[0].finish_reason == "stop"


@pytest.mark.parametrize(
    ("answer", "raised", "code"),
    [
        (json_answer(400, {"error": {"message": "no"}}), openai.BadRequestError, None),
        (json_answer(404, {"error": {"code": "model_not_found"}}), openai.NotFoundError, "model_not_found"),
        (json_answer(401, {"error": {"message": "no"}}), openai.InternalServerError, "upstream_auth_failed"),
        (json_answer(500, {"error": {"message": "no"}}), openai.InternalServerError, "all_targets_failed"),
        (json_answer(200, b"<html>"), openai.InternalServerError, "invalid_upstream_response"),
        ([Close()], openai.InternalServerError, "all_targets_failed"),
    ],
)
def test_errors_are_the_packages_own(
    client: Any,
    fake: ThreadedFake,
    answer: Sequence[Step],
    raised: type[openai.APIStatusError],
    code: str | None,
) -> None:
    fake.answer = answer
    with pytest.raises(raised) as caught:
        client.chat.completions.create(model="openai", messages=HI)
    assert caught.value.code == code
    assert caught.value.request_id


def test_stream_that_breaks_is_an_error_after_what_came(client: Any, fake: ThreadedFake) -> None:
    fake.answer = [*begun(delta(role="assistant"), delta(content="Hel")), Reset()]
    stream = client.chat.completions.create(model="openai", messages=HI, stream=True)
    assert [next(stream).choices[0].delta.content for _ in range(2)] == [None, "Hel"]
    with pytest.raises(openai.APIError) as caught:
        next(stream)
    assert caught.value.code == "stream_interrupted"


def test_client_that_leaves_a_stream_closes_its_upstream(client: Any, fake: ThreadedFake) -> None:
    fake.answer = [*begun(delta(role="assistant"), delta(content="Hel")), Stall()]
    closed = fake.upstream.closed
    with client.chat.completions.create(model="openai", messages=HI, stream=True) as stream:
        assert next(iter(stream)).choices[0].delta.role == "assistant"
    stopwatch = Stopwatch()
    fake.wait_closed(closed + 1)
    assert stopwatch.given_s() < 1.0
