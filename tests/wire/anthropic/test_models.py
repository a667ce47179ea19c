import pytest

from clawgw.wire.anthropic.models import Thinking, quirks_of
from tests.shared import exchanges, needs_shared


@pytest.mark.parametrize(
    ("model", "most"),
    [
        ("claude-3-opus-20240229", 4096),
        ("claude-3-5-sonnet-20241022", 8192),
        ("claude-3-7-sonnet-latest", 64_000),
        ("claude-opus-4-20250514", 32_000),
        ("claude-4-opus-20250514", 32_000),
        ("claude-opus-4-1-20250805", 32_000),
        ("claude-sonnet-4@20250514", 64_000),
        ("anthropic/claude-haiku-4.5", 64_000),
        ("claude-opus-4-6", 128_000),
        ("claude-mythos-preview", 128_000),
        ("claude-fable-5-2", 128_000),
        ("claude-saga-7", 128_000),
        ("kimi-k3", 64_000),
    ],
)
def test_max_tokens_by_name(model: str, most: int) -> None:
    assert quirks_of(model).max_tokens == most


@pytest.mark.parametrize(
    ("model", "thinking", "off"),
    [
        ("claude-3-5-haiku-20241022", Thinking.NONE, "disabled"),
        ("claude-haiku-4-5", Thinking.BUDGET, "disabled"),
        ("claude-opus-4-5", Thinking.BUDGET, "disabled"),
        ("claude-haiku-5-5", Thinking.ADAPTIVE, "disabled"),
        ("claude-sonnet-5", Thinking.ADAPTIVE, "disabled"),
        ("claude-sonnet-5-5", Thinking.ADAPTIVE, "between_tools"),
        ("claude-fable-5", Thinking.ADAPTIVE, None),
        ("claude-opus-5-5", Thinking.ADAPTIVE, None),
    ],
)
def test_thinking_by_name(model: str, thinking: Thinking, off: str | None) -> None:
    assert (quirks_of(model).thinking, quirks_of(model).thinking_off) == (thinking, off)


@pytest.mark.parametrize(
    ("model", "taken"),
    [("claude-opus-5", True), ("claude-haiku-5-5", True), ("claude-sonnet-5-5", False), ("claude-fable-5-1", False)],
)
def test_forced_choice_by_name(model: str, *, taken: bool) -> None:
    assert quirks_of(model).forced_choice is taken


@pytest.mark.parametrize(
    ("model", "taken"),
    [("claude-opus-4-7", False), ("claude-opus-4-8", True), ("claude-sonnet-5", False), ("claude-haiku-5-5", True)],
)
def test_system_among_the_messages_by_name(model: str, *, taken: bool) -> None:
    assert quirks_of(model).in_list_system is taken


@needs_shared
def test_the_table_says_what_the_vendors_own_list_says() -> None:
    listed = [
        model
        for exchange in exchanges("recordings", provider="anthropic", endpoint="models")
        if exchange["response"]["status"] == 200
        for model in exchange["response"]["body"]["data"]
        if "capabilities" in model
    ]
    assert listed
    for model in listed:
        quirks, can = quirks_of(model["id"]), model["capabilities"]
        kinds = can["thinking"]["types"]
        assert quirks.max_tokens == model["max_tokens"], model["id"]
        assert quirks.json_schema == can["structured_outputs"]["supported"], model["id"]
        assert (quirks.thinking is Thinking.ADAPTIVE) == kinds["adaptive"]["supported"], model["id"]
        if quirks.thinking is Thinking.ADAPTIVE:
            levels = {level for level, value in can["effort"].items() if level != "supported" and value["supported"]}
            assert set(quirks.efforts) == levels, model["id"]
