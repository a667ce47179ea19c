"""The known traps of OpenAI-shaped providers, one test each, by their numbers in the list of traps."""

import json
from typing import Any

import orjson
import pytest

from clawgw.wire.codec import WireTarget
from clawgw.wire.embeddings import build_embeddings
from clawgw.wire.events import Chunk, Done, Failed, UsageReport
from clawgw.wire.failure import Kind
from clawgw.wire.openai.answer import parse_chat
from clawgw.wire.openai.choices import ChatChoices
from clawgw.wire.openai.dialects import GROQ, MISTRAL, MOONSHOT, OPENAI, OPENROUTER
from clawgw.wire.request import EmbeddingsRequest
from tests.wire.openai.building import CALL, TOOL, USER, built, messages_sent, refused, sent
from tests.wire.openai.streams import TARGET, read

HEAD = {"id": "c1", "object": "chat.completion.chunk", "created": 7, "model": "m"}


def event(delta: dict[str, Any], finish_reason: str | None = None, **more: Any) -> bytes:
    choice = {"index": 0, "delta": delta, "finish_reason": finish_reason}
    return b"data: " + json.dumps({**HEAD, "choices": [choice], **more}).encode() + b"\n\n"


def answer(message: dict[str, Any]) -> dict[str, Any]:
    body = {"id": "c1", "choices": [{"index": 0, "message": message, "finish_reason": "stop"}]}
    fitted: dict[str, Any] = parse_chat(json.dumps(body).encode(), TARGET, 0.0).body["choices"][0]["message"]
    return fitted


def test_trap_1_tools_with_reasoning_need_another_endpoint() -> None:
    assert refused(OPENAI, "gpt-5.6-sol", tools=[TOOL], reasoning_effort="low").kind is Kind.UNSUPPORTED
    assert refused(OPENAI, "gpt-6.2-astra", tools=[TOOL]).kind is Kind.UNSUPPORTED
    assert sent(OPENAI, "gpt-5.6-sol", tools=[TOOL])["reasoning_effort"] == "none"


def test_trap_2_gpt_5_takes_max_completion_tokens_and_no_temperature() -> None:
    assert sent(OPENAI, "gpt-5", max_tokens=5, temperature=0) == {"max_completion_tokens": 5}
    assert built(OPENAI, "gpt-5", max_tokens=5, temperature=0).dropped == ["temperature"]


def test_trap_7_empty_arguments_are_an_empty_object_in_both_directions() -> None:
    call = {"id": "x", "type": "function", "function": {"name": "f", "arguments": ""}}
    assert answer({"tool_calls": [call]})["tool_calls"][0]["function"]["arguments"] == "{}"
    history = {"role": "assistant", "content": None, "tool_calls": [call]}
    result = {"role": "tool", "tool_call_id": "x", "content": "r"}
    (_, called, _) = messages_sent(OPENAI, "gpt-4o", USER, history, result)
    assert called["tool_calls"][0]["function"]["arguments"] == "{}"
    events = read([event({"tool_calls": [{"index": 0, **call}]}), event({}, "tool_calls")], ChatChoices())
    fragments = [
        fragment["function"]["arguments"]
        for one in events
        if isinstance(one, Chunk)
        for fragment in one.body["choices"][0]["delta"]["tool_calls"]
    ]
    assert "".join(fragments) == "{}"


def test_trap_9_forced_tools_drop_openrouter_s_reasoning_visibly() -> None:
    asked = {"tools": [TOOL], "tool_choice": "required", "reasoning": {"effort": "high"}}
    assert built(OPENROUTER, "anthropic/claude-opus-5.5", **asked).dropped == ["reasoning"]


def test_trap_10_cached_tokens_are_counted_once() -> None:
    usage = {
        "prompt_tokens": 10,
        "completion_tokens": 2,
        "cached_tokens": 8,
        "prompt_tokens_details": {"cached_tokens": 8},
    }
    (_, report, _) = read([event({"content": "a"}, "stop", usage=usage)], ChatChoices())
    assert isinstance(report, UsageReport)
    assert (report.usage.prompt, report.usage.cached, report.usage.body["total_tokens"]) == (10, 8, 12)


def test_trap_13_parallel_calls_have_distinct_indexes() -> None:
    fragments = [{"index": 0, "id": name, "function": {"name": "f", "arguments": "{}"}} for name in ("x", "y")]
    (chunk, *_) = read([event({"tool_calls": fragments})], ChatChoices())
    assert isinstance(chunk, Chunk)
    assert [call["index"] for call in chunk.body["choices"][0]["delta"]["tool_calls"]] == [0, 1]


def test_trap_16_usage_is_assigned_and_never_added() -> None:
    counts = [{"prompt_tokens": 5, "completion_tokens": so_far} for so_far in (1, 2, 3)]
    pieces = [event({"content": "a"}, usage=usage) for usage in counts]
    reports = [one.usage.completion for one in read(pieces, ChatChoices()) if isinstance(one, UsageReport)]
    assert reports == [1, 2, 3]


def test_trap_19_mistral_ids_by_hash_and_the_same_for_call_and_result() -> None:
    ids = ["call_abcdefghijklmnop_1", "call_abcdefghijklmnop_2", "D681PevKs"]
    history = {"role": "assistant", "content": "", "tool_calls": [{**CALL, "id": one} for one in ids]}
    results = [{"role": "tool", "tool_call_id": one, "content": "r"} for one in ids]
    (_, called, *answered) = messages_sent(MISTRAL, "mistral-small-latest", USER, history, *results)
    sent_ids = [call["id"] for call in called["tool_calls"]]
    assert sent_ids == [result["tool_call_id"] for result in answered]
    assert len(set(sent_ids)) == 3
    assert all(len(one) == 9 and one.isalnum() for one in sent_ids)
    assert sent_ids[2] == "D681PevKs"


def test_trap_20_mistral_hears_the_assistant_between_a_tool_and_the_user() -> None:
    history = {"role": "assistant", "content": "", "tool_calls": [{**CALL, "id": "D681PevKs"}]}
    result = {"role": "tool", "tool_call_id": "D681PevKs", "content": "r"}
    messages = messages_sent(MISTRAL, "mistral-small-latest", USER, history, result, USER)
    assert [message["role"] for message in messages] == ["user", "assistant", "tool", "assistant", "user"]
    assert messages[3]["content"]


def test_trap_21_mistral_s_list_content_is_a_string() -> None:
    content = [
        {"type": "thinking", "thinking": [{"type": "text", "text": "hm"}]},
        {"type": "text", "text": "Hel"},
        {"type": "text", "text": "lo"},
    ]
    assert answer({"content": content}) == {"role": "assistant", "content": "Hello", "reasoning_content": "hm"}
    (chunk, *_) = read([event({"content": content})], ChatChoices())
    assert isinstance(chunk, Chunk)
    assert chunk.body["choices"][0]["delta"] == {"role": "assistant", "content": "Hello", "reasoning_content": "hm"}


def test_trap_22_no_nulls_go_to_groq() -> None:
    history = {"role": "assistant", "content": None, "refusal": None, "tool_calls": [CALL]}
    result = {"role": "tool", "tool_call_id": "call_1", "content": "r"}
    body = built(GROQ, "m", messages=[USER, history, result], stop=None, response_format=None).body
    assert b"null" not in body


def test_trap_23_groq_s_usage_is_reported_once() -> None:
    usage = {"prompt_tokens": 5, "completion_tokens": 1, "total_tokens": 6}
    last = event({}, "stop", x_groq={"id": "req_1", "usage": usage})
    own = b"data: " + json.dumps({**HEAD, "choices": [], "usage": usage}).encode() + b"\n\n"
    events = read([event({"content": "a"}), last, own, b"data: [DONE]\n\n"], ChatChoices())
    assert [type(one) for one in events] == [Chunk, Chunk, UsageReport, Done]
    assert isinstance(events[1], Chunk)
    assert events[1].body["x_groq"] == {"id": "req_1"}


def test_trap_24_crlf_no_space_and_comments() -> None:
    plain = event({"content": "a"}, "stop") + b"data: [DONE]\n\n"
    odd = b": OPENROUTER PROCESSING\r\n\r\n" + plain.replace(b"data: ", b"data:").replace(b"\n", b"\r\n")
    assert read([odd], ChatChoices()) == read([plain], ChatChoices())


def test_trap_25_an_error_in_the_middle_is_a_failure() -> None:
    error = b'data: {"error": {"message": "overloaded", "type": "server_error"}}\n\n'
    last = read([event({"content": "a"}) + error], ChatChoices())[-1]
    assert isinstance(last, Failed)
    assert (last.failure.kind, last.failure.message) == (Kind.SERVER, "overloaded")


@pytest.mark.parametrize("end", [b"", b"data: [DONE]\n\n"])
def test_trap_26_an_end_without_a_finish_reason_is_a_failure(end: bytes) -> None:
    last = read([event({"content": "a"}), end], ChatChoices())[-1]
    assert isinstance(last, Failed)
    assert last.failure.kind is Kind.RESET


def test_trap_28_thoughts_go_back_to_kimi_and_not_to_mistral_or_openai() -> None:
    called = {"role": "assistant", "content": "", "tool_calls": [CALL], "reasoning_content": "hm"}
    result = {"role": "tool", "tool_call_id": "call_1", "content": "r"}
    assert messages_sent(MOONSHOT, "kimi-k2.5", USER, called, result)[1]["reasoning_content"] == "hm"
    for dialect, model in ((MISTRAL, "mistral-small-latest"), (OPENAI, "gpt-4o"), (GROQ, "llama-3.3-70b-versatile")):
        assert "reasoning_content" not in messages_sent(dialect, model, USER, called, result)[1]


def test_trap_29_an_absent_encoding_format_is_not_sent_as_null() -> None:
    for body in ({}, {"encoding_format": None}):
        asked = EmbeddingsRequest({"model": "m", "input": "a", **body}, "m", base64=False)
        assert orjson.loads(build_embeddings(asked, WireTarget("p", "m"), OPENAI).body) == {"model": "m", "input": "a"}
