from typing import Any

import orjson
import pytest

from clawgw.wire.anthropic.request import build_request
from clawgw.wire.codec import WireTarget
from clawgw.wire.request import ChatRequest
from tests.wire.anthropic.golden import HI, OPUS_5, SIGNED, SONNET_4_5, SONNET_4_6, WEATHER, call


def sent(model: str, **asked: Any) -> tuple[dict[str, Any], tuple[str, ...]]:
    request = ChatRequest({"model": "route", "messages": [HI], **asked}, "route", stream=False, include_usage=False)
    built = build_request(request, WireTarget("anthropic", model))
    return orjson.loads(built.body), tuple(built.dropped)


@pytest.mark.parametrize("effort", ["minimal", "low", "medium", "high", "xhigh", "max"])
@pytest.mark.parametrize("max_tokens", [1, 1024, 1280, 1281, 2048, 8000, 64_000])
def test_a_budget_is_at_least_1024_and_less_than_max_tokens(effort: str, max_tokens: int) -> None:
    body, dropped = sent(SONNET_4_5, reasoning_effort=effort, max_tokens=max_tokens)
    if "thinking" in body:
        assert 1024 <= body["thinking"]["budget_tokens"] < body["max_tokens"] == max_tokens
        assert dropped == ()
    else:
        assert max_tokens < 1280  # four fifths of it are less than 1024
        assert dropped == ("reasoning_effort",)


def test_a_callers_own_thinking_gives_way_to_a_forced_choice_too() -> None:
    own = {"type": "enabled", "budget_tokens": 2000}
    body, dropped = sent(SONNET_4_5, thinking=own, tools=[WEATHER], tool_choice="required")
    assert "thinking" not in body
    assert dropped == ("thinking",)


def test_a_callers_own_adaptive_thinking_is_sent() -> None:
    body, _ = sent(OPUS_5, thinking={"type": "adaptive"}, tools=[WEATHER], tool_choice="required")
    assert body["thinking"] == {"type": "adaptive"}


@pytest.mark.parametrize("model", [SONNET_4_5, SONNET_4_6, OPUS_5])
def test_an_effort_nobody_knows_is_dropped_and_named(model: str) -> None:
    body, dropped = sent(model, reasoning_effort="gigantic")
    assert not {"thinking", "output_config"} & body.keys()
    assert dropped == ("reasoning_effort",)


@pytest.mark.parametrize(("brought", "thinks"), [({}, False), ({"thinking_blocks": [SIGNED]}, True)])
def test_an_unfinished_tool_turn_without_its_thinking_cannot_go_on_thinking(
    brought: dict[str, Any], *, thinks: bool
) -> None:
    messages = [
        HI,
        {"role": "assistant", "content": None, "tool_calls": [call("toolu_1", "{}")], **brought},
        {"role": "tool", "tool_call_id": "toolu_1", "content": "12"},
    ]
    body, dropped = sent(SONNET_4_5, messages=messages, reasoning_effort="low")
    assert ("thinking" in body) is thinks
    assert dropped == (() if thinks else ("reasoning_effort",))
