from typing import Any

import pytest

from clawgw.wire.anthropic.replay import Block, keep, kept, restore
from tests.wire.anthropic.golden import REDACTED, SIGNED, call

TEXT: Block = {"type": "text", "text": "Hello"}
USE: Block = {"type": "tool_use", "id": "toolu_1", "name": "f", "input": {"a": 1}}
SEARCH: Block = {"type": "server_tool_use", "id": "srvtoolu_1", "name": "web_search", "input": {"query": "q"}}
FOUND: Block = {"type": "web_search_tool_result", "tool_use_id": "srvtoolu_1", "content": []}
CITED: Block = {"type": "text", "text": "Hello", "citations": [{"type": "char_location", "cited_text": "h"}]}


@pytest.mark.parametrize(
    ("blocks", "expected"),
    [
        ([TEXT, USE], {}),
        ([SIGNED, REDACTED, TEXT, {**USE, "caller": {"type": "direct"}}], {"thinking_blocks": [SIGNED, REDACTED]}),
        ([TEXT, SIGNED, USE], {"content": [TEXT, SIGNED, USE]}),
        ([SEARCH, FOUND, TEXT], {"content": [SEARCH, FOUND, TEXT]}),
        ([CITED], {"content": [CITED]}),
        ([{"type": []}, TEXT], {"content": [{"type": []}, TEXT]}),
        ([SIGNED, {"type": "text", "text": ""}, SIGNED, TEXT], {"thinking_blocks": [SIGNED, SIGNED]}),
        (
            [{**USE, "caller": {"type": "code_execution_20260120", "tool_id": "srvtoolu_1"}}],
            {"content": [{**USE, "caller": {"type": "code_execution_20260120", "tool_id": "srvtoolu_1"}}]},
        ),
    ],
)
def test_only_what_the_message_cannot_say_is_kept(blocks: list[Block], expected: dict[str, Any]) -> None:
    assert keep(blocks) == expected


@pytest.mark.parametrize(
    "message",
    [
        {"extra_content": {"anthropic": {"thinking_blocks": [SIGNED]}}},
        {"extra_content": {"anthropic": {"content": [SIGNED]}}},
        {"tool_calls": [call("c", "{}", extra_content={"anthropic": {"thinking_blocks": [SIGNED]}})]},
        {"thinking_blocks": [SIGNED]},
    ],
)
def test_it_is_found_wherever_a_client_brings_it_back(message: dict[str, Any]) -> None:
    assert kept(message) == [SIGNED]


@pytest.mark.parametrize("message", [{}, {"extra_content": 1}, {"thinking_blocks": "x"}, {"tool_calls": None}])
def test_nothing_is_found_where_nothing_is(message: dict[str, Any]) -> None:
    assert kept(message) == []


def test_a_turn_is_restored_in_its_order_while_the_message_says_the_same() -> None:
    turn = [SIGNED, SEARCH, FOUND, TEXT, REDACTED, USE]
    assert restore(turn, [TEXT, USE]) == turn


@pytest.mark.parametrize("said", [[{**TEXT, "text": "Bye"}, USE], [TEXT], [TEXT, {**USE, "input": {"a": 2}}]])
def test_an_edited_message_wins_over_the_turn_it_was(said: list[Block]) -> None:
    assert restore([SIGNED, SEARCH, FOUND, TEXT, REDACTED, USE], said) == [SIGNED, REDACTED, *said]
