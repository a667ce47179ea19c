"""What a client did not get as it must is found out, and named."""

from typing import Any

import httpx2
import openai
import pytest
from attrs import evolve

from tests.recordings.client import Got
from tests.recordings.exchange import Exchange
from tests.recordings.expected import Answer, Choice, Expected, Fault, Faults, ToolCall, Usage, Vectors
from tests.recordings.judge import complaints

HEADERS = {"x-request-id": "r", "x-clawgw-attempts": "1"}
CALL = {"id": "a", "type": "function", "function": {"name": "f", "arguments": '{"x": 1}'}}
MESSAGE = {"role": "assistant", "content": "Hi", "reasoning_content": "Hm", "tool_calls": [CALL]}
BODY = {
    "model": "m",
    "choices": [{"index": 0, "message": MESSAGE, "finish_reason": "tool_calls"}],
    "usage": {"prompt_tokens": 1, "completion_tokens": 2},
}
ANSWER = Answer({0: Choice("Hi", "Hm", "", [ToolCall("f", {"x": 1}, "a")], None, "tool_calls")}, Usage(1, 2), "m")


def found(expected: Expected, got: Got) -> str:
    exchange = Exchange("c", "openai", "n", "chat", "m", {}, False, 200, [], b"", expected)  # noqa: FBT003 - a case
    return "; ".join(complaints(exchange, got))


def answered(body: dict[str, Any], **sent: Any) -> Got:
    return Got(sent=sent, status=200, headers=HEADERS, bodies=[body])


def with_message(**fields: Any) -> dict[str, Any]:
    choice = {"index": 0, "message": {**MESSAGE, **fields}, "finish_reason": "tool_calls"}
    return {**BODY, "choices": [choice]}


def failed(status: int, headers: dict[str, str], **error: Any) -> Got:
    body = {"message": "no", "param": None, "request_id": "r", **error}
    raised = openai.APIError("no", httpx2.Request("POST", "http://gateway"), body=body)
    return Got(status=status, headers={**HEADERS, **headers}, raised=raised)


def test_nothing_is_wrong_with_what_must_be() -> None:
    assert found(ANSWER, answered(BODY)) == ""


@pytest.mark.parametrize(
    ("body", "word"),
    [
        (with_message(content="Ho"), "text 'Ho'"),
        (with_message(reasoning_content=""), "reasoning ''"),
        (with_message(refusal="no"), "refusal 'no'"),
        (with_message(tool_calls=[]), "tool_calls []"),
        (with_message(tool_calls=[{**CALL, "id": "b"}]), "ids"),
        (with_message(tool_calls=[{**CALL, "function": {"name": "f", "arguments": "{"}}]), "no JSON"),
        (with_message(function_call={"name": "f", "arguments": "{}"}), "function_call"),
        ({**BODY, "model": "other"}, "model 'other'"),
        ({**BODY, "usage": {"prompt_tokens": 1, "completion_tokens": 3}}, "usage"),
        ({**BODY, "choices": []}, "choices []"),
        ({**BODY, "choices": [{**BODY["choices"][0], "finish_reason": "stop"}]}, "finish_reason 'stop'"),  # type: ignore[index]  # the list is known
    ],
)
def test_a_difference_is_named(body: dict[str, Any], word: str) -> None:
    assert word in found(ANSWER, answered(body))


def test_calls_without_an_id_of_the_upstreams_need_one_of_ours() -> None:
    calls = [ToolCall("f", {"x": 1}), ToolCall("f", {"x": 1})]
    wanted = evolve(ANSWER, choices={0: evolve(ANSWER.choices[0], tool_calls=calls)})
    assert found(wanted, answered(with_message(tool_calls=[CALL, {**CALL, "id": "b"}]))) == ""
    assert "the same" in found(wanted, answered(with_message(tool_calls=[CALL, CALL])))


def test_faults() -> None:
    wanted = Faults((Fault(429, "rate_limit_error", "upstream_rate_limited"),), 12.5)
    told = {"type": "rate_limit_error", "code": "upstream_rate_limited"}
    assert found(wanted, failed(429, {"retry-after": "13"}, **told)) == ""
    assert "Retry-After" in found(wanted, failed(429, {"retry-after": "12"}, **told))
    assert "none of" in found(wanted, failed(502, {"x-should-retry": "false"}, **told))
    assert "pointless" in found(wanted, failed(502, {}, **told))
    assert "no error object" in found(wanted, answered(BODY))


def test_vectors() -> None:
    wanted = Vectors([[1.0, 0.5]], 3)
    body = {"data": [{"index": 0, "embedding": "AACAPwAAAD8="}], "usage": {"prompt_tokens": 3}}
    numbers = {**body, "data": [{"index": 0, "embedding": [1.0, 0.25]}]}
    assert found(wanted, answered(body, encoding_format="base64")) == ""
    assert "differs" in found(wanted, answered(numbers))
    assert "numbers" in found(wanted, answered(numbers, encoding_format="base64"))
    assert "usage" in found(wanted, answered({**body, "usage": {"prompt_tokens": 4}}))
