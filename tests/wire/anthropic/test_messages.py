from typing import Any

import pytest

from clawgw.wire.anthropic.messages import Turn, conversation
from clawgw.wire.failure import Kind, WireError
from tests.wire.anthropic.golden import HI, call


def turns(*messages: dict[str, Any], in_list_system: bool = False) -> list[dict[str, Any]]:
    return [turn.as_message() for turn in conversation(list(messages), in_list_system=in_list_system)[1]]


@pytest.mark.parametrize(
    "message",
    [
        {"role": "function", "name": "f", "content": "x"},
        {"role": "assistant", "audio": {"id": "a"}},
        {"role": "assistant", "function_call": {"name": "f", "arguments": "{}"}},
        {"role": "assistant", "tool_calls": [{"id": "c", "type": "custom", "custom": {"name": "f", "input": "x"}}]},
        {"role": "assistant", "tool_calls": [call("c", "not json")]},
        {"role": "assistant", "tool_calls": [call("c", "[1]")]},
        {"role": "system", "content": [{"type": "image_url", "image_url": {"url": "https://example.com/a.png"}}]},
    ],
)
def test_what_anthropic_cannot_take_is_refused(message: dict[str, Any]) -> None:
    with pytest.raises(WireError) as caught:
        turns(HI, message)
    assert caught.value.failure.kind is Kind.UNSUPPORTED
    assert caught.value.failure.param == "messages"


def test_silent_messages_are_left_out_and_their_neighbours_merge() -> None:
    said = turns(HI, {"role": "assistant", "content": ""}, {"role": "user", "content": "Hello?"})
    assert said == [
        {"role": "user", "content": [{"type": "text", "text": "Hi"}, {"type": "text", "text": "Hello?"}]},
    ]


def test_a_refusal_without_content_is_what_the_assistant_said() -> None:
    assert turns(HI, {"role": "assistant", "content": None, "refusal": "No."}, HI)[1] == {
        "role": "assistant",
        "content": "No.",
    }


def test_an_instruction_at_the_end_keeps_its_role_after_a_user() -> None:
    assert turns(HI, {"role": "system", "content": "Now."}, in_list_system=True) == [
        HI,
        {"role": "system", "content": "Now."},
    ]


def test_an_instruction_after_an_assistant_is_the_users() -> None:
    said = turns(
        HI, {"role": "assistant", "content": "A"}, {"role": "system", "content": "Go on."}, in_list_system=True
    )
    assert said[-1] == {"role": "user", "content": "Go on."}


def test_results_come_before_what_was_said_between_call_and_result() -> None:
    said = turns(
        HI,
        {"role": "assistant", "tool_calls": [call("toolu_1", " ")]},
        {"role": "developer", "content": "Careful."},
        {"role": "tool", "tool_call_id": "toolu_1", "content": "12", "cache_control": {"type": "ephemeral"}},
        in_list_system=True,
    )
    assert said[-1]["content"] == [
        {"type": "tool_result", "tool_use_id": "toolu_1", "content": "12", "cache_control": {"type": "ephemeral"}},
        {"type": "text", "text": "Careful."},
    ]


def test_a_mark_on_a_call_stays_on_it() -> None:
    marked = call("toolu_1", "{}", cache_control={"type": "ephemeral"})
    (block,) = turns(HI, {"role": "assistant", "tool_calls": [marked]})[1]["content"]
    assert block["cache_control"] == {"type": "ephemeral"}


def test_a_system_prompt_is_apart() -> None:
    system, said = conversation([{"role": "developer", "content": "Be brief."}, HI], in_list_system=True)
    assert system == [{"type": "text", "text": "Be brief."}]
    assert said == [Turn("user", [{"type": "text", "text": "Hi"}])]
