from typing import Any

import pytest

from clawgw.wire.openai.message import FAILED, arguments_text, finish_reason, fit_message, made_up_id


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        ("stop", "stop"),
        ("tool_calls", "tool_calls"),
        ("function_call", "function_call"),
        ("content_filter", "content_filter"),
        ("model_length", "length"),
        ("max_tokens", "length"),
        ("eos", "stop"),
        ("end_turn", "stop"),
        ("tool_use", "tool_calls"),
        ("error", FAILED),
        ("something new", "stop"),
        (["stop"], "stop"),
    ],
)
def test_finish_reasons_are_openai_s(said: Any, reason: str) -> None:
    assert finish_reason(said) == reason


@pytest.mark.parametrize(
    ("message", "fitted"),
    [
        ({"content": "a"}, {"content": "a"}),
        ({"content": None}, {"content": None}),
        (
            {"content": [{"type": "text", "text": "a"}, {"type": "reference", "reference_ids": [1]}, 5]},
            {"content": "a"},
        ),
        (
            {
                "content": [
                    {"type": "thinking", "thinking": [{"type": "text", "text": "h"}, {"type": "text", "text": "m"}]}
                ]
            },
            {"content": "", "reasoning_content": "hm"},
        ),
        ({"reasoning": "hm"}, {"reasoning": "hm", "reasoning_content": "hm"}),
        ({"reasoning": None}, {"reasoning": None}),
        ({"reasoning": "a", "reasoning_content": "b"}, {"reasoning": "a", "reasoning_content": "b"}),
        (
            {
                "reasoning_details": [
                    {"type": "reasoning.summary", "summary": "h"},
                    {"type": "reasoning.text", "text": "m"},
                ]
            },
            {
                "reasoning_details": [
                    {"type": "reasoning.summary", "summary": "h"},
                    {"type": "reasoning.text", "text": "m"},
                ],
                "reasoning_content": "hm",
            },
        ),
        (
            {"reasoning": "hm", "reasoning_details": [{"type": "reasoning.text", "text": "hm"}]},
            {
                "reasoning": "hm",
                "reasoning_details": [{"type": "reasoning.text", "text": "hm"}],
                "reasoning_content": "hm",
            },
        ),
        (
            {"reasoning_details": [{"type": "reasoning.encrypted", "data": "…"}]},
            {"reasoning_details": [{"type": "reasoning.encrypted", "data": "…"}]},
        ),
    ],
)
def test_content_is_a_string_and_reasoning_has_its_name(message: dict[str, Any], fitted: dict[str, Any]) -> None:
    fit_message(message)
    assert message == fitted


@pytest.mark.parametrize(
    ("arguments", "text"), [('{"a":1}', '{"a":1}'), ({"a": 1}, '{"a":1}'), ({}, ""), (None, ""), ("", "")]
)
def test_arguments_are_text(arguments: Any, text: str) -> None:
    assert arguments_text(arguments) == text


def test_a_made_up_id_is_the_same_for_the_same_answer_only() -> None:
    assert made_up_id({"a": 1}, 1.0) == made_up_id({"a": 1}, 1.0)
    assert made_up_id({"a": 1}, 1.0) != made_up_id({"a": 1}, 2.0) != made_up_id({"a": 2}, 2.0)
    assert made_up_id({}, 0.0).startswith("chatcmpl-")
