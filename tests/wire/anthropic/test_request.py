from typing import Any

import orjson
import pytest

from clawgw.wire.anthropic.request import DEFAULT_MAX_TOKENS, build_request
from clawgw.wire.codec import UpstreamRequest, WireTarget
from clawgw.wire.failure import Kind, WireError
from clawgw.wire.request import ChatRequest
from tests.wire.anthropic.golden import HAIKU, HI, OPUS_4, OPUS_5_5, PAIRS, SONNET_4_6, Golden


def build(asked: dict[str, Any], model: str = HAIKU, **target: Any) -> UpstreamRequest:
    body = {"model": "route", "messages": [HI], **asked}
    return build_request(
        ChatRequest(body, "route", bool(asked.get("stream")), include_usage=False),
        WireTarget("anthropic", model, **target),
    )


@pytest.mark.parametrize("golden", PAIRS, ids=lambda golden: golden.name)
def test_a_request_becomes_exactly_this_body(golden: Golden) -> None:
    request = build(golden.asked, golden.model, **golden.target)
    assert orjson.loads(request.body) == {"model": golden.model, "max_tokens": DEFAULT_MAX_TOKENS, **golden.sent}
    assert tuple(request.dropped) == golden.dropped
    assert request.headers.get("anthropic-beta") == golden.betas
    assert request.path == "/messages"


def test_the_version_is_the_configured_one_or_the_first() -> None:
    assert build({}).headers == {"anthropic-version": "2023-06-01"}
    assert build({}, api_version="2026-10-21").headers == {"anthropic-version": "2026-10-21"}


@pytest.mark.parametrize(
    ("asked", "param"),
    [
        ({"n": 2}, "n"),
        ({"logprobs": True}, "logprobs"),
        ({"audio": {"voice": "alloy", "format": "wav"}}, "modalities"),
        ({"modalities": ["text", "audio"]}, "modalities"),
        ({"functions": [{"name": "f"}]}, "functions"),
        ({"function_call": "auto"}, "function_call"),
        ({"response_format": {"type": "json_object"}}, "response_format"),
        ({"response_format": {"type": "json_schema", "json_schema": {"name": "n"}}}, "response_format"),
        ({"betas": ["good", "b\r\nad: 1"]}, "betas"),
        ({"betas": ["one two"]}, "betas"),
        ({"betas": {"a": 1}}, "betas"),
    ],
)
def test_what_would_change_the_meaning_is_refused(asked: dict[str, Any], param: str) -> None:
    with pytest.raises(WireError) as caught:
        build(asked)
    assert caught.value.failure.kind is Kind.UNSUPPORTED
    assert caught.value.failure.param == param


@pytest.mark.parametrize(
    ("asked", "model", "param"),
    [
        (
            {"response_format": {"type": "json_schema", "json_schema": {"name": "n", "schema": {}}}},
            OPUS_4,
            "response_format",
        ),
        ({"messages": [HI, {"role": "assistant", "content": "Hel"}]}, SONNET_4_6, "messages"),
        (
            {"tools": [{"type": "function", "function": {"name": "f"}}], "tool_choice": "required"},
            OPUS_5_5,
            "tool_choice",
        ),
    ],
)
def test_what_one_model_lacks_is_refused_with_its_name(asked: dict[str, Any], model: str, param: str) -> None:
    with pytest.raises(WireError, match=model) as caught:
        build(asked, model)
    assert caught.value.failure.param == param


def test_an_older_model_continues_the_assistants_last_message() -> None:
    body = orjson.loads(build({"messages": [HI, {"role": "assistant", "content": "Hel"}]}).body)
    assert body["messages"][-1] == {"role": "assistant", "content": "Hel"}


def test_a_paused_turn_goes_on_also_where_a_prefill_is_refused() -> None:
    paused = [
        {"type": "text", "text": "Searching."},
        {"type": "server_tool_use", "id": "srvtoolu_1", "name": "web_search", "input": {"query": "q"}},
    ]
    answer = {"role": "assistant", "content": "Searching.", "extra_content": {"anthropic": {"content": paused}}}
    body = orjson.loads(build({"messages": [HI, answer]}, SONNET_4_6).body)
    assert body["messages"][-1] == {"role": "assistant", "content": paused}


def test_betas_may_be_one_string_and_are_not_doubled() -> None:
    file = {"role": "user", "content": [{"type": "file", "file": {"file_id": "file_1"}}]}
    request = build({"anthropic_beta": "a-1, files-api-2025-04-14", "messages": [file]})
    assert request.headers["anthropic-beta"] == "a-1,files-api-2025-04-14"
    assert request.dropped == ()


def test_one_stop_may_be_a_string() -> None:
    assert orjson.loads(build({"stop": "END"}).body)["stop_sequences"] == ["END"]


def test_text_and_json_schema_formats_without_more_ask_for_nothing() -> None:
    assert "output_config" not in orjson.loads(build({"response_format": {"type": "text"}}).body)


def test_a_format_of_its_own_wins_over_the_one_made() -> None:
    schema = {"type": "json_schema", "json_schema": {"name": "n", "schema": {"type": "object"}}}
    own = {"effort": "low"}
    body = orjson.loads(build({"response_format": schema, "output_config": own}).body)
    assert body["output_config"] == {
        "format": {"type": "json_schema", "schema": {"type": "object"}},
        "effort": "low",
    }


def test_a_default_temperature_gives_way_to_the_requests_top_p() -> None:
    body = orjson.loads(build({"top_p": 0.5}, default_temperature=0.3).body)
    assert body["top_p"] == 0.5
    assert "temperature" not in body


def test_arguments_nested_too_deeply_to_be_sent_are_refused() -> None:
    arguments = '{"a":' * 300 + "1" + "}" * 300
    call = {"id": "toolu_1", "type": "function", "function": {"name": "f", "arguments": arguments}}
    with pytest.raises(WireError, match="nested"):
        build({"messages": [HI, {"role": "assistant", "tool_calls": [call]}, HI]})
