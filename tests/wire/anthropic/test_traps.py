"""The traps that other gateways fell into with Anthropic, by their numbers in the list of known issues."""

from typing import Any

import orjson
import pytest

from clawgw.wire.anthropic.codec import AnthropicCodec
from clawgw.wire.codec import Completion, WireTarget
from clawgw.wire.events import Chunk, Done, Failed, SingleEvent, UsageReport, unfold
from clawgw.wire.failure import Kind
from clawgw.wire.request import ChatRequest
from tests.wire.anthropic.golden import HI, OPUS_5, OPUS_5_5, REDACTED, SIGNED, SONNET_4_5, WEATHER, call

CODEC = AnthropicCodec()
USE = {"type": "tool_use", "id": "toolu_1", "name": "get_weather", "input": {"city": "Paris"}}
RESULT = {"role": "tool", "tool_call_id": "toolu_1", "content": "12"}


def ask(**asked: Any) -> ChatRequest:
    return ChatRequest({"model": "m", "messages": [HI], **asked}, "m", stream=False, include_usage=False)


def sent(model: str, **asked: Any) -> tuple[dict[str, Any], list[str]]:
    built = CODEC.build_chat(ask(**asked), WireTarget("anthropic", model))
    return orjson.loads(built.body), list(built.dropped)


def answered(*content: dict[str, Any], **more: Any) -> Completion:
    message = {"type": "message", "id": "msg_1", "content": content, "stop_reason": "tool_use", **more}
    return CODEC.parse_chat(orjson.dumps(message), ask(), WireTarget("anthropic", SONNET_4_5), 0.0)


def said(completion: Completion) -> dict[str, Any]:
    found: dict[str, Any] = completion.body["choices"][0]["message"]
    return found


def streamed(*events: dict[str, Any]) -> list[SingleEvent]:
    parser = CODEC.chat_stream(ask(), WireTarget("anthropic", SONNET_4_5), 0.0)
    start = {"type": "message_start", "message": {"id": "msg_1", "usage": {"input_tokens": 7, "output_tokens": 1}}}
    raw = b"".join(b"data: %s\n\n" % orjson.dumps(event) for event in (start, *events))
    return list(unfold(parser.feed(raw) + parser.finish()))


def block(content: dict[str, Any], *deltas: dict[str, Any]) -> list[dict[str, Any]]:
    return [
        {"type": "content_block_start", "content_block": content},
        *({"type": "content_block_delta", "delta": delta} for delta in deltas),
        {"type": "content_block_stop"},
    ]


END: list[dict[str, Any]] = [{"type": "message_delta", "delta": {"stop_reason": "tool_use"}}, {"type": "message_stop"}]


def gathered(events: list[SingleEvent]) -> dict[str, Any]:
    """The message that a client puts together: strings added up, calls by index, anything else once."""
    message: dict[str, Any] = {"tool_calls": []}
    for event in events:
        delta = event.body["choices"][0]["delta"] if isinstance(event, Chunk) else {}
        for name, value in delta.items():
            if name == "tool_calls":
                (part,) = value
                if "id" in part:
                    message["tool_calls"].append({**part, "function": dict(part["function"])})
                else:
                    message["tool_calls"][part["index"]]["function"]["arguments"] += part["function"]["arguments"]
            elif isinstance(value, str):
                message[name] = message.get(name, "") + value
            else:
                assert name not in message
                message[name] = value
    return message


def only_calls(message: dict[str, Any]) -> dict[str, Any]:
    """What is left of a message with a client that keeps no field it does not know."""
    return {"role": "assistant", "content": message.get("content"), "tool_calls": message["tool_calls"]}


@pytest.mark.parametrize("model", [OPUS_5, OPUS_5_5, "claude-opus-4-7", "claude-sonnet-5", "claude-haiku-5-5"])
def test_trap_3_no_sampling_fields_to_newer_models(model: str) -> None:
    body, dropped = sent(model, temperature=0.5, top_p=0.9, top_k=3)
    assert not {"temperature", "top_p", "top_k"} & body.keys()
    assert dropped == ["temperature", "top_k", "top_p"]


@pytest.mark.parametrize("forget", [dict, only_calls])
def test_trap_4_redacted_thinking_stays_in_the_history(forget: Any) -> None:
    message = forget(said(answered(REDACTED, USE)))
    body, _ = sent(SONNET_4_5, messages=[HI, message, RESULT], tools=[WEATHER])
    assert body["messages"][1]["content"] == [REDACTED, USE]


@pytest.mark.parametrize("forget", [dict, only_calls])
def test_trap_5_a_streamed_signature_comes_back_in_the_next_request(forget: Any) -> None:
    events = streamed(
        *block(
            {"type": "thinking", "thinking": "", "signature": ""},
            {"type": "thinking_delta", "thinking": SIGNED["thinking"]},
            {"type": "signature_delta", "signature": SIGNED["signature"]},
        ),
        *block({**USE, "input": {}}, {"type": "input_json_delta", "partial_json": '{"city":"Paris"}'}),
        *END,
    )
    message = forget(gathered(events))
    body, _ = sent(SONNET_4_5, messages=[HI, message, RESULT], tools=[WEATHER])
    assert body["messages"][1]["content"] == [SIGNED, USE]


def test_trap_5_a_signature_is_set_not_added_to() -> None:
    events = streamed(
        *block(
            {"type": "thinking", "thinking": "", "signature": "b2xk"},
            {"type": "signature_delta", "signature": "bmV3"},
        ),
        *END,
    )
    (kept,) = gathered(events)["extra_content"]["anthropic"]["thinking_blocks"]
    assert kept["signature"] == "bmV3"


@pytest.mark.parametrize("forget", [dict, only_calls])
def test_trap_6_signed_thinking_without_text_is_kept(forget: Any) -> None:
    empty = {"type": "thinking", "thinking": "", "signature": "c2ln"}
    whole = said(answered(empty, USE))
    assert "reasoning_content" not in whole
    body, _ = sent(SONNET_4_5, messages=[HI, forget(whole), RESULT], tools=[WEATHER])
    assert body["messages"][1]["content"] == [empty, USE]


def test_trap_7_empty_arguments_are_an_empty_object_both_ways() -> None:
    use = {**USE, "input": {}}
    assert said(answered(use))["tool_calls"][0]["function"]["arguments"] == "{}"
    assert gathered(streamed(*block(use), *END))["tool_calls"][0]["function"]["arguments"] == "{}"
    body, _ = sent(SONNET_4_5, messages=[HI, {"role": "assistant", "tool_calls": [call("toolu_1", "")]}, RESULT])
    assert body["messages"][1]["content"][0]["input"] == {}


def test_trap_8_parallel_results_are_one_user_turn() -> None:
    calls = {"role": "assistant", "tool_calls": [call("toolu_1", "{}"), call("toolu_2", "{}")]}
    body, _ = sent(SONNET_4_5, messages=[HI, calls, RESULT, {**RESULT, "tool_call_id": "toolu_2"}, HI])
    assert [turn["role"] for turn in body["messages"]] == ["user", "assistant", "user"]
    assert [part["type"] for part in body["messages"][2]["content"]] == ["tool_result", "tool_result", "text"]


@pytest.mark.parametrize("choice", ["required", {"type": "function", "function": {"name": "get_weather"}}])
def test_trap_9_thinking_gives_way_to_a_forced_choice_and_says_so(choice: Any) -> None:
    body, dropped = sent(SONNET_4_5, tools=[WEATHER], tool_choice=choice, reasoning_effort="high")
    assert "thinking" not in body
    assert body["tool_choice"]["type"] in ("any", "tool")
    assert dropped == ["reasoning_effort"]


def test_trap_10_cached_tokens_are_counted_once() -> None:
    usage = {"input_tokens": 5, "cache_read_input_tokens": 100, "cache_creation_input_tokens": 20, "output_tokens": 1}
    counted = answered(USE, usage=usage).usage
    assert counted is not None
    assert (counted.prompt, counted.cached, counted.cache_write) == (125, 100, 20)
    assert counted.body["total_tokens"] == 126


def test_trap_13_parallel_calls_have_numbers_of_their_own() -> None:
    server = {"type": "server_tool_use", "id": "srvtoolu_1", "name": "web_search", "input": {}}
    events = streamed(*block(server), *block(USE), *block({**USE, "id": "toolu_2"}), *END)
    calls = gathered(events)["tool_calls"]
    assert [(one["index"], one["id"]) for one in calls] == [(0, "toolu_1"), (1, "toolu_2")]


def test_trap_16_streamed_usage_replaces_and_is_never_added() -> None:
    events = streamed(
        {"type": "message_delta", "delta": {}, "usage": {"output_tokens": 5}},
        {
            "type": "message_delta",
            "delta": {"stop_reason": "end_turn"},
            "usage": {"input_tokens": 8, "output_tokens": 9, "cache_read_input_tokens": None},
        },
        {"type": "message_stop"},
    )
    reports = [event.usage for event in events if isinstance(event, UsageReport)]
    assert [(usage.prompt, usage.completion) for usage in reports] == [(7, 1), (7, 5), (8, 9)]


def test_trap_25_an_error_in_the_stream_is_its_end() -> None:
    events = streamed(
        *block({"type": "text", "text": "Hel"})[:1],
        {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}},
        *END,
    )
    assert isinstance(events[-1], Failed)
    assert (events[-1].failure.kind, events[-1].failure.message) == (Kind.SERVER, "Overloaded")
    assert not any(isinstance(event, Done) for event in events)


@pytest.mark.parametrize("end", [[], END[:1], END[1:]])
def test_trap_26_an_end_without_a_finish_is_a_failure(end: list[dict[str, Any]]) -> None:
    last = streamed(*block({"type": "text", "text": "Hel"}), *end)[-1]
    assert isinstance(last, Failed)
    assert last.failure.kind is Kind.RESET


def test_trap_27_nothing_before_the_first_word_commits() -> None:
    events = streamed({"type": "ping"}, *block({"type": "text", "text": ""}), *END)
    assert not any(event.commits for event in events if isinstance(event, Chunk))
    spoken = streamed(*block({"type": "thinking", "thinking": "Hm"}))
    assert [event.commits for event in spoken if isinstance(event, Chunk)] == [False, True]


def test_trap_30_a_stream_that_is_cut_short_has_told_its_tokens() -> None:
    events = streamed(*block({"type": "text", "text": "Hel"}))
    assert [event.usage.prompt for event in events if isinstance(event, UsageReport)] == [7]
