from typing import Any

import orjson
import pytest

from clawgw.wire.failure import Kind
from clawgw.wire.openai.dialects import MOONSHOT
from tests.wire.openai.building import CALL, TOOL, USER, built, messages_sent, refused, sent


@pytest.mark.parametrize("model", ["kimi-k2.5", "kimi-k3", "kimi-k2.7-code"])
def test_kimi_s_sampling_is_fixed(model: str) -> None:
    asked: dict[str, Any] = {"temperature": 0.5, "top_p": 0.9, "presence_penalty": 1, "frequency_penalty": 1}
    request = built(MOONSHOT, model, **asked)
    assert orjson.loads(request.body) == {"model": model, "messages": [USER]}
    assert request.dropped == sorted(asked)
    assert refused(MOONSHOT, model, n=2).param == "n"


def test_moonshot_v1_has_sampling_up_to_one() -> None:
    asked = {"temperature": 0.5, "top_p": 0.9, "n": 2}
    assert sent(MOONSHOT, "moonshot-v1-8k", **asked) == asked
    assert sent(MOONSHOT, "moonshot-v1-8k", temperature=1.5) == {"temperature": 1}


@pytest.mark.parametrize(
    ("model", "asked", "body"),
    [
        ("kimi-k3", "none", {"reasoning_effort": "low"}),
        ("kimi-k3.1-pro", "medium", {"reasoning_effort": "high"}),
        ("kimi-k3", "xhigh", {"reasoning_effort": "max"}),
        ("kimi-k2.5", "none", {"thinking": {"type": "disabled"}}),
        ("kimi-k2.6", "low", {"thinking": {"type": "enabled"}}),
        ("kimi-k2.7-code", "high", {}),
        ("moonshot-v1-8k", "high", {}),
    ],
)
def test_reasoning_effort_is_what_each_model_has(model: str, asked: str, body: dict[str, Any]) -> None:
    assert sent(MOONSHOT, model, reasoning_effort=asked) == body


def test_a_thinking_switch_of_the_caller_s_own_wins() -> None:
    own = {"thinking": {"type": "enabled", "keep": "all"}}
    assert sent(MOONSHOT, "kimi-k2.6", reasoning_effort="none", **own) == own
    assert sent(MOONSHOT, "kimi-k2.6", **own) == own


def test_text_parts_become_a_string_and_images_stay_parts() -> None:
    parts = [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]
    image = {"type": "image_url", "image_url": {"url": "https://x"}}
    assert messages_sent(MOONSHOT, "kimi-k2.5", {"role": "user", "content": parts}) == [
        {"role": "user", "content": "ab"}
    ]
    mixed = {"role": "user", "content": [*parts, image]}
    assert messages_sent(MOONSHOT, "kimi-k2.5", mixed) == [mixed]


def test_strict_is_left_out_of_tools() -> None:
    strict = {"type": "function", "function": {**TOOL["function"], "strict": True}}  # type: ignore[dict-item]  # a dict
    builtin = {"type": "builtin_function"}
    assert sent(MOONSHOT, "kimi-k2.5", tools=[strict, builtin])["tools"] == [TOOL, builtin]


def test_k2_cannot_be_made_to_call_a_tool() -> None:
    failure = refused(MOONSHOT, "kimi-k2-0905-preview", tools=[TOOL], tool_choice="required")
    assert (failure.kind, failure.param) == (Kind.UNSUPPORTED, "tool_choice")
    assert sent(MOONSHOT, "kimi-k3", tools=[TOOL], tool_choice="required")["tool_choice"] == "required"


@pytest.mark.parametrize(
    ("kept", "thought"),
    [
        ({"reasoning_content": "hm"}, "hm"),
        ({"reasoning": "hm", "reasoning_details": []}, "hm"),
        ({}, " "),
        ({"reasoning_content": ""}, " "),
    ],
)
def test_thoughts_go_back_with_tool_calls(kept: dict[str, Any], thought: str) -> None:
    called = {"role": "assistant", "content": "", "tool_calls": [CALL], **kept}
    result = {"role": "tool", "tool_call_id": "call_1", "content": "r"}
    for model in ("kimi-k2.5", "kimi-k3", "kimi-k2-thinking"):
        assert messages_sent(MOONSHOT, model, USER, called, result)[1] == {
            "role": "assistant",
            "content": "",
            "tool_calls": [CALL],
            "reasoning_content": thought,
        }


def test_no_thoughts_are_made_up_where_none_are_wanted() -> None:
    called = {"role": "assistant", "content": "", "tool_calls": [CALL]}
    result = {"role": "tool", "tool_call_id": "call_1", "content": "r"}
    assert messages_sent(MOONSHOT, "moonshot-v1-8k", USER, called, result)[1] == called
    off = {"reasoning_effort": "none"}
    assert messages_sent(MOONSHOT, "kimi-k2.6", USER, called, result, **off)[1] == called
    assert messages_sent(MOONSHOT, "kimi-k3", USER, {"role": "assistant", "content": "a"}, USER)[1] == {
        "role": "assistant",
        "content": "a",
    }
