from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from clawgw.wire.anthropic.response import completion_from, usage_of
from clawgw.wire.codec import Completion
from clawgw.wire.failure import Kind, WireError
from clawgw.wire.usage import Particulars
from tests.shared import exchanges, needs_shared
from tests.wire.anthropic.golden import REDACTED, SIGNED

NOW = 1767225600.9
TEXT = {"type": "text", "text": "Hello"}
USE = {"type": "tool_use", "id": "toolu_1", "name": "f", "input": {"a": 1}}


def message(*content: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": "claude-haiku-4-5-20251001",
        "content": list(content),
        "stop_reason": "end_turn",
        "stop_sequence": None,
        "usage": {"input_tokens": 3, "output_tokens": 2},
        **more,
    }


def parsed(*content: dict[str, Any], **more: Any) -> Completion:
    return completion_from(orjson.dumps(message(*content, **more)), "asked", NOW)


def said(completion: Completion) -> dict[str, Any]:
    found: dict[str, Any] = completion.body["choices"][0]["message"]
    return found


def test_a_whole_completion() -> None:
    usage = {
        "input_tokens": 10,
        "cache_read_input_tokens": 200,
        "cache_creation_input_tokens": 30,
        "output_tokens": 50,
        "output_tokens_details": {"thinking_tokens": 20},
        "service_tier": "standard",
    }
    thinking = {"type": "thinking", "thinking": "Let me see.", "signature": "c2ln"}
    completion = parsed(thinking, TEXT, USE, stop_reason="tool_use", usage=usage)
    carried = {"anthropic": {"thinking_blocks": [thinking]}}
    assert completion.body == {
        "id": "msg_1",
        "object": "chat.completion",
        "created": 1767225600,
        "model": "claude-haiku-4-5-20251001",
        "choices": [
            {
                "index": 0,
                "message": {
                    "role": "assistant",
                    "content": "Hello",
                    "refusal": None,
                    "reasoning_content": "Let me see.",
                    "tool_calls": [
                        {
                            "id": "toolu_1",
                            "type": "function",
                            "function": {"name": "f", "arguments": '{"a":1}'},
                            "extra_content": carried,
                        }
                    ],
                    "extra_content": carried,
                },
                "logprobs": None,
                "finish_reason": "tool_calls",
            }
        ],
        "usage": {
            "prompt_tokens": 240,
            "completion_tokens": 50,
            "total_tokens": 290,
            "prompt_tokens_details": {"cached_tokens": 200, "cache_write_tokens": 30},
            "completion_tokens_details": {"reasoning_tokens": 20},
        },
        "service_tier": "default",
    }
    assert completion.finish_reason == "tool_calls"
    assert completion.usage is not None
    assert completion.usage.body == completion.body["usage"]


@pytest.mark.parametrize(
    ("stop_reason", "finish_reason"),
    [
        ("end_turn", "stop"),
        ("stop_sequence", "stop"),
        ("pause_turn", "stop"),
        ("max_tokens", "length"),
        ("model_context_window_exceeded", "length"),
        ("refusal", "content_filter"),
        ("something_new", "stop"),
    ],
)
def test_stop_reasons(stop_reason: str, finish_reason: str) -> None:
    assert parsed(TEXT, stop_reason=stop_reason).finish_reason == finish_reason


def test_tool_use_of_servers_tools_alone_is_no_call() -> None:
    search = {"type": "server_tool_use", "id": "srvtoolu_1", "name": "web_search", "input": {}}
    completion = parsed(search, stop_reason="tool_use")
    assert completion.finish_reason == "stop"
    assert "tool_calls" not in said(completion)
    assert said(completion)["extra_content"]["anthropic"]["content"] == [search]


@pytest.mark.parametrize(
    ("content", "expected"), [([], ""), ([USE], None), ([TEXT, TEXT], "HelloHello"), ([{"type": "new"}], "")]
)
def test_content(content: list[dict[str, Any]], expected: str | None) -> None:
    assert said(parsed(*content))["content"] == expected


def test_only_the_first_call_carries_the_thinking_before_it() -> None:
    first, second = said(parsed(SIGNED, REDACTED, USE, {**USE, "id": "toolu_2"}))["tool_calls"]
    assert first["extra_content"] == {"anthropic": {"thinking_blocks": [SIGNED, REDACTED]}}
    assert "extra_content" not in second


def test_a_pause_says_so_and_carries_the_turn() -> None:
    search = {"type": "server_tool_use", "id": "srvtoolu_1", "name": "web_search", "input": {}}
    extra = said(parsed(TEXT, search, stop_reason="pause_turn"))["extra_content"]
    assert extra == {"anthropic": {"content": [TEXT, search], "stop_reason": "pause_turn"}}


def test_a_refusal_says_why() -> None:
    details = {"type": "refusal", "category": "bio", "explanation": "Blocked."}
    refused = said(parsed(stop_reason="refusal", stop_details=details))
    assert (refused["content"], refused["refusal"]) == (None, "Blocked.")
    assert refused["extra_content"] == {"anthropic": {"stop_reason": "refusal", "stop_details": details}}


def test_citations_with_a_url_are_annotations_over_their_text() -> None:
    web = {"type": "web_search_result_location", "url": "https://a.example", "title": "A", "cited_text": "x"}
    own = {"type": "search_result_location", "source": "https://b.example", "title": None}
    local = {"type": "search_result_location", "source": "kb-1", "title": "K"}
    page = {"type": "page_location", "document_title": "P"}
    cited = {"type": "text", "text": "Häää", "citations": [web, web, own, local, page]}
    message = said(parsed(TEXT, cited, TEXT))
    assert message["annotations"] == [
        {
            "type": "url_citation",
            "url_citation": {"start_index": 5, "end_index": 9, "url": "https://a.example", "title": "A"},
        },
        {
            "type": "url_citation",
            "url_citation": {"start_index": 5, "end_index": 9, "url": "https://b.example", "title": ""},
        },
    ]
    assert message["extra_content"]["anthropic"]["content"][1] == cited


def test_a_container_is_told() -> None:
    container = {"id": "container_1", "expires_at": "2026-01-01T00:00:00Z"}
    assert said(parsed(TEXT, container=container))["extra_content"] == {"anthropic": {"container": container}}


def test_a_model_that_is_not_told_is_the_one_asked() -> None:
    assert parsed(TEXT, model=None).body["model"] == "asked"


@pytest.mark.parametrize(
    ("said", "particulars"),
    [
        ({"cache_creation": {"ephemeral_5m_input_tokens": 2, "ephemeral_1h_input_tokens": 3}}, {"cache_write_1h": 3}),
        ({"server_tool_use": {"web_search_requests": 2, "web_fetch_requests": 1}}, {"web_searches": 2}),
        ({"service_tier": "standard", "speed": "standard"}, {}),
        ({"service_tier": "priority"}, {"service_tier": "priority"}),
        ({"service_tier": "standard", "speed": "fast"}, {"service_tier": "fast"}),
        ({"cost": 0.000112, "is_byok": False}, {"cost_usd": 0.000112}),
    ],
)
def test_what_a_bill_depends_on_besides(said: dict[str, Any], particulars: dict[str, Any]) -> None:
    assert usage_of(said).particulars == Particulars(**particulars)


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"<html>", Kind.INVALID),
        (b"[]", Kind.INVALID),
        (b"{}", Kind.INVALID),
        (b'{"type":"message","content":[],"stop_reason":null}', Kind.INVALID),
        (b'{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}', Kind.SERVER),
        (b'{"error":{"type":"rate_limit_error","message":"Slow down"}}', Kind.RATE_LIMITED),
    ],
)
def test_what_is_no_message_is_a_failure(body: bytes, kind: Kind) -> None:
    with pytest.raises(WireError) as caught:
        completion_from(body, "asked", NOW)
    assert caught.value.failure.kind is kind


def test_an_input_nested_too_deeply_is_a_failure() -> None:
    nested: Any = 1
    for _ in range(300):
        nested = {"a": nested}
    body = b'{"type":"message","stop_reason":"tool_use","content":[{"type":"tool_use","input":%s}]}' % (
        b'{"a":' * 300 + b"1" + b"}" * 300
    )
    with pytest.raises(WireError) as caught:
        completion_from(body, "asked", NOW)
    assert caught.value.failure.kind is Kind.INVALID


@given(st.binary())
def test_any_bytes_raise_nothing_but_the_one_error(body: bytes) -> None:
    with pytest.raises(WireError):
        completion_from(body, "asked", NOW)


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.sampled_from(["", "text", "tool_use", "thinking", "end_turn"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["type", "text", "thinking", "input", "citations", "url", "id"]), inner)
    ),
    max_leaves=12,
)
_FIELDS = st.sampled_from(["content", "usage", "stop_details", "stop_sequence", "container", "id", "model"])


@given(st.dictionaries(_FIELDS, _JSON))
def test_odd_members_cost_no_answer(members: dict[str, Any]) -> None:
    body = orjson.dumps({"type": "message", "stop_reason": "end_turn", **members})
    assert completion_from(body, "asked", NOW).finish_reason == "stop"


FINISH = {"end_turn": "stop", "max_tokens": "length", "refusal": "content_filter", "tool_use": "tool_calls"}


@needs_shared
def test_recorded_answers_lose_nothing() -> None:
    for exchange in exchanges("recordings", provider="anthropic", endpoint="chat"):
        answer = exchange["response"].get("body")
        if exchange["response"]["status"] != 200 or not answer:
            continue
        completion = completion_from(orjson.dumps(answer), "asked", NOW)
        found, blocks, usage = said(completion), answer["content"], answer["usage"]
        calls = [block for block in blocks if block["type"] == "tool_use"]
        assert (found["content"] or "") == "".join(block.get("text", "") for block in blocks if block["type"] == "text")
        assert [call["id"] for call in found.get("tool_calls", [])] == [block["id"] for block in calls]
        assert [orjson.loads(call["function"]["arguments"]) for call in found.get("tool_calls", [])] == [
            block["input"] for block in calls
        ]
        assert completion.finish_reason == FINISH.get(answer["stop_reason"], "stop")
        assert completion.usage is not None
        assert completion.usage.prompt == sum(
            usage.get(name) or 0 for name in ("input_tokens", "cache_read_input_tokens", "cache_creation_input_tokens")
        )
        assert completion.usage.completion == usage["output_tokens"]


def test_a_message_without_usage_has_none() -> None:
    completion = parsed(TEXT, usage=None)
    assert completion.usage is None
    assert "usage" not in completion.body
