from typing import Any

import pytest

from clawgw.wire.openai.dialects import OPENROUTER
from tests.wire.openai.building import TOOL, USER, built, messages_sent, sent

NAMED = {"type": "function", "function": {"name": "f"}}


@pytest.mark.parametrize("choice", ["required", NAMED])
def test_a_forced_tool_and_anthropic_s_thinking_do_not_go_together(choice: Any) -> None:
    asked: dict[str, Any] = {"tools": [TOOL], "tool_choice": choice}
    thinking: dict[str, Any] = {"reasoning": {"effort": "high"}, "reasoning_effort": "high"}
    assert sent(OPENROUTER, "anthropic/claude-opus-5.5", **asked, **thinking) == asked
    request = built(OPENROUTER, "anthropic/claude-opus-5.5", **asked, **thinking)
    assert request.dropped == ["reasoning", "reasoning_effort"]


def test_elsewhere_they_do() -> None:
    thinking = {"tools": [TOOL], "reasoning": {"effort": "high"}}
    for model, choice in (("anthropic/claude-opus-5.5", "auto"), ("openai/gpt-5.2", "required")):
        body = {**thinking, "tool_choice": choice}
        assert sent(OPENROUTER, model, **body) == body


def test_its_own_fields_and_its_reasoning_details_go_back_unmodified() -> None:
    own: dict[str, Any] = {"provider": {"order": ["OpenAI"]}, "plugins": [{"id": "web"}], "n": 2, "logprobs": True}
    assert sent(OPENROUTER, "openai/gpt-4o", **own) == own
    details = [{"type": "reasoning.text", "text": "hm", "signature": "s", "format": "anthropic-claude-v1", "index": 0}]
    answer = {"role": "assistant", "content": "a", "reasoning": "hm", "reasoning_details": details}
    assert messages_sent(OPENROUTER, "anthropic/x", USER, answer) == [USER, answer]
