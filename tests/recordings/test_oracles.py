"""The oracles judge the gateway, so they are held to values worked out by hand from `wire-formats.md`."""

import json
from typing import Any

import pytest

from tests.recordings import oracle_anthropic, oracle_gemini, oracle_openai
from tests.recordings.expected import Answer, Choice, Fault, Faults, ToolCall, Usage
from tests.recordings.faults import faults, faults_inside


def sse(*events: dict[str, Any]) -> str:
    return "".join(f"data: {json.dumps(event)}\n\n" for event in events)


def delta(**fields: Any) -> dict[str, Any]:
    return {"model": "m", "choices": [{"index": 0, "delta": fields, "finish_reason": None}]}


def finish(reason: str, **fields: Any) -> dict[str, Any]:
    return {"model": "m", "choices": [{"index": 0, "delta": {}, "finish_reason": reason}], **fields}


def test_openai_stream_joins_text_thinking_and_calls() -> None:
    raw = sse(
        delta(role="assistant", content=[{"type": "thinking", "thinking": [{"type": "text", "text": "Hm"}]}]),
        delta(content="Hel"),
        delta(content="lo"),
        delta(tool_calls=[{"index": 0, "id": "a", "function": {"name": "f", "arguments": '{"x"'}}]),
        delta(tool_calls=[{"index": 0, "function": {"arguments": ": 1}"}}]),
        delta(tool_calls=[{"index": 1, "id": "b", "function": {"name": "g", "arguments": ""}}]),
        finish("tool_calls", x_groq={"usage": {"prompt_tokens": 3, "completion_tokens": 4}}),
    )
    calls = [ToolCall("f", {"x": 1}, "a"), ToolCall("g", {}, "b")]
    whole = Choice(text="Hello", reasoning="Hm", tool_calls=calls, finish_reason="tool_calls")
    assert oracle_openai.read_stream(raw + "data: [DONE]\n\n") == Answer({0: whole}, Usage(3, 4), "m")


def test_openai_stream_without_a_finish_is_broken_after_content_and_invalid_before() -> None:
    assert oracle_openai.read_stream(sse(delta(content="Hi"))) == Answer({0: Choice("Hi")}, None, "m", broken=True)
    assert oracle_openai.read_stream(sse(delta(role="assistant"))) == Faults(
        (Fault(502, "upstream_error", "invalid_upstream_response"),)
    )


def test_anthropic_usage_counts_the_cache_once_and_blocks_become_one_message() -> None:
    body = {
        "type": "message",
        "model": "claude",
        "content": [
            {"type": "thinking", "thinking": "Hm", "signature": "s"},
            {"type": "text", "text": "One "},
            {"type": "server_tool_use", "id": "srv", "name": "web_search", "input": {}},
            {"type": "text", "text": "two"},
            {"type": "tool_use", "id": "t", "name": "f", "input": {}},
        ],
        "stop_reason": "tool_use",
        "usage": {
            "input_tokens": 5,
            "cache_read_input_tokens": 7,
            "cache_creation_input_tokens": 11,
            "output_tokens": 13,
        },
    }
    whole = Choice("One two", "Hm", "", [ToolCall("f", {}, "t")], None, "tool_calls")
    assert oracle_anthropic.read_message(body) == Answer({0: whole}, Usage(23, 13, 7), "claude")


def test_gemini_counts_thoughts_as_completion_and_stop_after_a_call_is_tool_calls() -> None:
    body = {
        "candidates": [
            {
                "content": {
                    "parts": [{"text": "Hm", "thought": True}, {"functionCall": {"name": "f", "args": {"x": 1}}}]
                },
                "finishReason": "STOP",
            }
        ],
        "usageMetadata": {
            "promptTokenCount": 3,
            "toolUsePromptTokenCount": 2,
            "candidatesTokenCount": 5,
            "thoughtsTokenCount": 7,
            "cachedContentTokenCount": 1,
        },
        "modelVersion": "gemini",
    }
    whole = Choice("", "Hm", "", [ToolCall("f", {"x": 1})], None, "tool_calls")
    assert oracle_gemini.read_body(body) == Answer({0: whole}, Usage(5, 12, 1, 7), "gemini")


def test_gemini_arguments_in_fragments() -> None:
    def part(**call: Any) -> dict[str, Any]:
        return {"candidates": [{"content": {"parts": [{"functionCall": call}]}}]}

    raw = sse(
        part(name="f", willContinue=True),
        part(partialArgs=[{"jsonPath": "$.city", "stringValue": "Par", "willContinue": True}], willContinue=True),
        part(partialArgs=[{"jsonPath": "$.city", "stringValue": "is"}], willContinue=True),
        part(),
        {"candidates": [{"content": {}, "finishReason": "STOP"}]},
    )
    answer = oracle_gemini.read_stream(raw)
    assert isinstance(answer, Answer)
    assert answer.choices[0].tool_calls == [ToolCall("f", {"city": "Paris"})]


def test_gemini_prompt_that_was_blocked_is_a_filtered_answer() -> None:
    answer = oracle_gemini.read_body({"promptFeedback": {"blockReason": "SAFETY"}})
    assert answer == Answer({0: Choice(refusal=None, finish_reason="content_filter")})


@pytest.mark.parametrize(
    ("status", "body", "code"),
    [
        (401, {"error": {"message": "bad key"}}, "upstream_auth_failed"),
        (403, {"error": {"message": "region"}}, "upstream_auth_failed"),
        (403, {"error": {"type": "exceeded_current_quota_error"}}, "upstream_quota_exhausted"),
        (403, {"error": {"metadata": {"flagged_input": "…"}}}, "content_policy_violation"),
        (400, {"error": {"details": [{"reason": "API_KEY_INVALID"}]}}, "upstream_auth_failed"),
        (400, {"error": {"message": "prompt is too long: 9 > 8"}}, "context_length_exceeded"),
        (402, {}, "upstream_quota_exhausted"),
        (404, {}, "model_not_found"),
        (429, {"error": {"code": "insufficient_quota"}}, "upstream_quota_exhausted"),
        (429, {"error": {"code": "rate_limit_exceeded"}}, "upstream_rate_limited"),
        (529, {}, "all_targets_failed"),
        (502, "<html>", "all_targets_failed"),
    ],
)
def test_faults(status: int, body: object, code: str) -> None:
    assert [fault.code for fault in faults(status, body).any_of] == [code]


def test_an_error_inside_a_200_counts_as_its_own_code() -> None:
    assert faults_inside({"code": 402, "message": "no credit"}) == faults(402, {})
    assert faults_inside({"message": "broken"}) == faults(500, {})


def test_the_upstreams_hint() -> None:
    assert faults(429, {}, {"retry-after": "13"}).retry_after_s == 13
    assert faults(429, {}, {"retry-after": "1", "retry-after-ms": "250"}).retry_after_s == 0.25
    assert faults(429, {"error": {"details": [{"retryDelay": "45.8s"}]}}).retry_after_s == 45.8
    assert faults(429, {}).retry_after_s is None
