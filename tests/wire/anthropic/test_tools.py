from typing import Any

import pytest

from clawgw.wire.anthropic.tools import choice_of, tools_of
from clawgw.wire.failure import WireError


def function(name: str, **more: Any) -> dict[str, Any]:
    return {"type": "function", "function": {"name": name, **more}}


def test_custom_tools_are_refused() -> None:
    with pytest.raises(WireError) as caught:
        tools_of({"tools": [{"type": "custom", "custom": {"name": "f"}}]})
    assert caught.value.failure.param == "tools"


@pytest.mark.parametrize(
    "choice", [{"type": "custom", "custom": {"name": "f"}}, {"type": "allowed_tools"}, "sometimes"]
)
def test_a_choice_without_an_equal_is_refused(choice: Any) -> None:
    with pytest.raises(WireError) as caught:
        choice_of({"tool_choice": choice})
    assert caught.value.failure.param == "tool_choice"


@pytest.mark.parametrize("asked", ["required", "any"])
def test_required_has_two_names(asked: str) -> None:
    assert choice_of({"tool_choice": asked}) == {"type": "any"}


def test_a_schema_is_always_an_objects() -> None:
    tools = tools_of({"tools": [function("f", parameters={"properties": {"a": {}}}), {"function": {"name": "g"}}]})
    assert tools == [
        {"name": "f", "input_schema": {"type": "object", "properties": {"a": {}}}},
        {"name": "g", "input_schema": {"type": "object", "properties": {}}},
    ]


def test_what_is_anthropics_own_about_a_tool_passes() -> None:
    (tool,) = tools_of({"tools": [{**function("f", input_examples=[{}]), "defer_loading": True}]})
    assert (tool["defer_loading"], tool["input_examples"]) == (True, [{}])


def test_a_search_of_the_callers_own_is_the_only_one() -> None:
    own = {"type": "web_search_20260209", "name": "web_search"}
    assert tools_of({"tools": [own], "web_search_options": {}}) == [own]
    assert tools_of({"web_search_options": {}}) == [{"type": "web_search_20250305", "name": "web_search"}]


def test_allowed_tools_may_be_named_flat() -> None:
    asked = {
        "tools": [function("f"), function("g")],
        "tool_choice": {
            "type": "allowed_tools",
            "allowed_tools": {"mode": "auto", "tools": [{"type": "function", "name": "g"}]},
        },
    }
    assert [tool["name"] for tool in tools_of(asked)] == ["g"]
    assert choice_of(asked) == {"type": "auto"}
