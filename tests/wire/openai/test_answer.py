import json
from contextlib import suppress
from functools import partial
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from clawgw.wire.codec import Completion, WireTarget
from clawgw.wire.failure import Kind, WireError
from clawgw.wire.openai.answer import parse_chat, parse_text
from clawgw.wire.usage import Particulars, Usage
from tests.shared import exchanges, needs_shared
from tests.wire.openai.streams import PROVIDERS

NOW = 1_700_000_000.0
TARGET = WireTarget("p", "some-model")
COUNTS = {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5}
ANSWER: dict[str, Any] = {
    "id": "c1",
    "object": "chat.completion",
    "created": 7,
    "model": "m",
    "choices": [
        {
            "index": 0,
            "message": {"role": "assistant", "content": "Hello", "refusal": None, "annotations": []},
            "logprobs": {"content": []},
            "finish_reason": "stop",
        }
    ],
    "usage": COUNTS,
    "service_tier": "default",
    "system_fingerprint": None,
    "x_other": [1],
}


def parsed(answer: Any) -> Completion:
    return parse_chat(json.dumps(answer).encode(), TARGET, NOW)


def one_choice(message: Any, finish_reason: Any = "stop", **more: Any) -> dict[str, Any]:
    return {"id": "c1", "choices": [{"index": 0, "message": message, "finish_reason": finish_reason}], **more}


def message_of(message: dict[str, Any]) -> dict[str, Any]:
    fitted: dict[str, Any] = parsed(one_choice(message)).body["choices"][0]["message"]
    return fitted


def failure_kind(answer: Any) -> Kind:
    with pytest.raises(WireError) as raised:
        parsed(answer)
    return raised.value.failure.kind


def test_openai_s_own_answer_is_left_as_it_is() -> None:
    assert parsed(ANSWER) == Completion(ANSWER, Usage(3, 2, body=COUNTS), "stop")


def test_what_is_missing_is_filled() -> None:
    body = parsed({"choices": [{"message": {}}], "object": "chat"}).body
    assert body.pop("id").startswith("chatcmpl-")
    assert body == {
        "object": "chat.completion",
        "created": int(NOW),
        "model": "some-model",
        "choices": [{"index": 0, "message": {"role": "assistant", "content": None}, "finish_reason": "stop"}],
    }


def test_an_unsaid_finish_reason_is_told_by_the_tool_calls() -> None:
    call = {"id": "x", "type": "function", "function": {"name": "f", "arguments": "{}"}}
    assert parsed(one_choice({"tool_calls": [call]}, None)).finish_reason == "tool_calls"
    assert parsed(one_choice({"content": "a"}, None)).finish_reason == "stop"
    assert parsed(one_choice({"content": "a"}, "model_length")).finish_reason == "length"


def test_a_message_that_the_filter_took_whole_is_empty() -> None:
    completion = parsed({"id": "c1", "choices": [{"index": 0, "finish_reason": "content_filter"}]})
    assert completion.finish_reason == "content_filter"
    assert completion.body["choices"][0]["message"] == {"role": "assistant", "content": None}


def test_tool_calls_are_whole() -> None:
    message = message_of({"content": None, "tool_calls": [{"function": {"name": "f", "arguments": {"a": 1}}}, 5]})
    assert message["tool_calls"] == [
        {"id": "call_c1_0_0", "type": "function", "function": {"name": "f", "arguments": '{"a":1}'}}
    ]


@pytest.mark.parametrize("calls", [None, []])
def test_no_tool_calls_are_left_out(calls: Any) -> None:
    assert message_of({"content": "a", "tool_calls": calls}) == {"role": "assistant", "content": "a"}


def test_custom_and_legacy_calls_are_kept() -> None:
    custom = {"id": "x", "type": "custom", "custom": {"name": "f", "input": "a"}}
    assert message_of({"tool_calls": [custom]})["tool_calls"] == [custom]
    legacy = {"name": "f", "arguments": "{}"}
    assert message_of({"function_call": legacy})["function_call"] == legacy


@pytest.mark.parametrize(
    ("answer", "usage"),
    [
        (one_choice({}, usage=COUNTS), Usage(3, 2, body=COUNTS)),
        (one_choice({}, x_groq={"usage": COUNTS}), Usage(3, 2, body=COUNTS)),
        ({"choices": [{"message": {}, "usage": COUNTS}]}, Usage(3, 2, body=COUNTS)),
        (
            one_choice({}, usage=COUNTS, service_tier="priority"),
            Usage(3, 2, body=COUNTS, particulars=Particulars(service_tier="priority")),
        ),
        (one_choice({}, usage=None), None),
    ],
)
def test_usage_is_found_in_every_place(answer: dict[str, Any], usage: Usage | None) -> None:
    completion = parsed(answer)
    assert completion.usage == usage
    assert completion.body.get("usage") == (None if usage is None else COUNTS)


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        ({"error": {"code": 524, "message": "Provider timed out"}}, Kind.SERVER),
        ({"error": {"code": 402, "message": "m"}, "choices": []}, Kind.QUOTA),
        (
            {"choices": [{"error": {"code": 502, "message": "m"}, "finish_reason": "error", "message": {}}]},
            Kind.SERVER,
        ),
        (one_choice({"content": "half"}, "error"), Kind.SERVER),
        ({"choices": []}, Kind.INVALID),
        ({"choices": [5]}, Kind.INVALID),
        ({"choices": [{}, 5]}, Kind.INVALID),
        ({"choices": {"0": {}}}, Kind.INVALID),
        ({"id": "c1"}, Kind.INVALID),
        (one_choice("text"), Kind.INVALID),
        ({"choices": [{"finish_reason": "stop"}]}, Kind.INVALID),
        ([], Kind.INVALID),
    ],
)
def test_an_answer_that_is_none_is_a_failure(answer: Any, kind: Kind) -> None:
    assert failure_kind(answer) is kind


def test_html_is_invalid() -> None:
    with pytest.raises(WireError) as raised:
        parse_chat(b"<html>", TARGET, NOW)
    assert raised.value.failure.kind is Kind.INVALID


def test_text_completions() -> None:
    answer = {"id": "t", "object": "text.completion", "created": 7, "model": "m", "usage": COUNTS}
    choice = {"text": "a", "index": 0, "logprobs": None}
    completion = parse_text(json.dumps({**answer, "choices": [{**choice, "finish_reason": "eos"}]}).encode(), TARGET)
    body = {**answer, "object": "text_completion", "choices": [{**choice, "finish_reason": "stop"}]}
    assert completion == Completion(body, Usage(3, 2, body=COUNTS), "stop")


def test_a_text_completion_without_text_is_invalid() -> None:
    with pytest.raises(WireError) as raised:
        parse_text(b'{"choices": [{"index": 0}]}', TARGET)
    assert raised.value.failure.kind is Kind.INVALID


_KEYS = st.sampled_from(
    ["choices", "message", "usage", "error", "x_groq", "tool_calls", "function", "content", "finish_reason"]
)
_SCALARS = st.none() | st.booleans() | st.integers() | st.text(max_size=5)
_ANSWERS = st.recursive(
    _SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_KEYS, inner, max_size=5), max_leaves=25
)


@given(_ANSWERS.map(lambda answer: json.dumps(answer).encode()) | st.binary(max_size=50))
def test_any_body_is_an_answer_or_a_wire_error(body: bytes) -> None:
    for parse in (partial(parse_chat, body, TARGET, NOW), partial(parse_text, body, TARGET)):
        with suppress(WireError):
            completion = parse()
            assert completion.body["choices"]
            json.dumps(completion.body)


@needs_shared
def test_recorded_answers_keep_every_word_and_count() -> None:
    recorded = [
        exchange
        for provider in PROVIDERS
        for exchange in exchanges("recordings", provider=provider, endpoint="chat")
        if exchange["response"]["status"] == 200 and (exchange["response"].get("body") or {}).get("choices")
    ]
    assert recorded
    for exchange in recorded:
        sent = exchange["response"]["body"]
        completion = parsed(sent)
        assert completion.body["usage"]["prompt_tokens"] == sent["usage"]["prompt_tokens"]
        assert completion.body["usage"]["completion_tokens"] == sent["usage"]["completion_tokens"]
        for choice, fitted in zip(sent["choices"], completion.body["choices"], strict=True):
            content = choice.get("message", {}).get("content")
            if not isinstance(content, list):
                assert fitted["message"]["content"] == content
            calls = choice.get("message", {}).get("tool_calls") or []
            for call, fitted_call in zip(calls, fitted["message"].get("tool_calls", []), strict=True):
                assert fitted_call["function"]["name"] == call["function"]["name"]
                arguments = json.loads(fitted_call["function"]["arguments"])
                assert arguments == json.loads(call["function"].get("arguments") or "{}")


@pytest.mark.parametrize("unsaid", [None, ""])
def test_an_answer_that_does_not_say_how_it_ended_has_ended(unsaid: str | None) -> None:
    call = {"id": "x", "type": "function", "function": {"name": "f", "arguments": "{}"}}
    assert parsed(one_choice({"content": "a"}, unsaid)).finish_reason == "stop"
    assert parsed(one_choice({"content": None, "tool_calls": [call]}, unsaid)).finish_reason == "tool_calls"


@pytest.mark.parametrize(("said", "reason"), [("max_tokens", "length"), ("stop", "stop")])
def test_the_first_vision_model_says_in_its_details_how_it_ended(said: str, reason: str) -> None:
    answer = {"id": "c1", "choices": [{"index": 0, "message": {"content": "a"}, "finish_details": {"type": said}}]}
    assert parsed(answer).finish_reason == reason


def test_choices_without_an_index_are_counted() -> None:
    choices = [{"message": {"content": text}, "finish_reason": "stop"} for text in "ab"]
    assert [choice["index"] for choice in parsed({"choices": choices}).body["choices"]] == [0, 1]


def test_an_id_of_null_is_none() -> None:
    call = {"id": "null", "function": {"name": "f", "arguments": "{}"}}
    (fitted,) = message_of({"content": "", "tool_calls": [call]})["tool_calls"]
    assert fitted["id"] == "call_c1_0_0"


def test_where_the_filter_took_the_message_it_may_be_null() -> None:
    completion = parsed(one_choice(None, "content_filter"))
    assert completion.finish_reason == "content_filter"
    assert completion.body["choices"][0]["message"] == {"role": "assistant", "content": None}


@pytest.mark.parametrize("huge", ["18446744073709551615", "18446744073709551616", "1e300"])
def test_numbers_that_are_none_do_not_keep_the_answer_from_being_written(huge: str) -> None:
    usage = f'{{"prompt_tokens": {huge}, "completion_tokens": {huge}}}'
    body = f'{{"created": {huge}, "choices": [{{"message": {{"content": "a"}}}}], "usage": {usage}}}'
    completion = parse_chat(body.encode(), TARGET, NOW)
    assert json.loads(orjson.dumps(completion.body))["usage"] == {
        "prompt_tokens": 0,
        "completion_tokens": 0,
        "total_tokens": 0,
    }
