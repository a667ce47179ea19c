"""OpenAI's tools and choice of tools as Anthropic's.

Functions become tools with an `input_schema`. A tool of any type but OpenAI's two is taken for one of Anthropic's own
and passes unchanged, so a caller can use those that run on its servers. `allowed_tools` keeps those it names.

https://platform.claude.com/docs/en/agents-and-tools/tool-use/define-tools,
https://platform.claude.com/docs/en/agents-and-tools/tool-use/web-search-tool
"""

from typing import Any

from clawgw.wire.anthropic.errors import unsupported
from clawgw.wire.json_body import get_object, get_objects, get_text

Tool = dict[str, Any]

_EXTRAS = ("cache_control", "strict", "defer_loading", "allowed_callers", "input_examples", "eager_input_streaming")
_CHOICES = {"auto": "auto", "required": "any", "any": "any", "none": "none"}
_SEARCHES = {"low": 1, "medium": 5, "high": 10}
"""`max_uses` for OpenAI's `search_context_size`: the nearest there is to how much may be read."""


def tools_of(asked: dict[str, Any]) -> list[Tool]:
    """Every tool the model may use, the one for `web_search_options` last."""
    tools = [_tool(tool) for tool in get_objects(asked, "tools")]
    if (allowed := _allowed(asked)) is not None:
        tools = [tool for tool in tools if tool.get("name") in allowed]
    options = asked.get("web_search_options")
    if options is not None and not any(get_text(tool, "type").startswith("web_search_") for tool in tools):
        tools.append(_web_search(options))
    return tools


def choice_of(asked: dict[str, Any]) -> dict[str, Any] | None:
    """`tool_choice`, with what `parallel_tool_calls` says; None where the request leaves both open."""
    choice = _choice(asked.get("tool_choice"))
    if asked.get("parallel_tool_calls") is False and (choice is None or choice["type"] != "none"):
        choice = {**(choice or {"type": "auto"}), "disable_parallel_tool_use": True}
    return choice


def is_forced(choice: dict[str, Any] | None) -> bool:
    """Whether the model must call a tool."""
    return choice is not None and choice["type"] in ("any", "tool")


def _tool(tool: dict[str, Any]) -> Tool:
    match get_text(tool, "type"):
        case "" | "function":
            return _function(tool)
        case "custom":
            raise unsupported("tools", "Anthropic has no custom tools with free-form input; use a function.")
        case _:
            return tool


def _function(tool: dict[str, Any]) -> Tool:
    function = get_object(tool, "function")
    sent: Tool = {"name": get_text(function, "name")}
    if description := get_text(function, "description"):
        sent["description"] = description
    sent["input_schema"] = _schema(get_object(function, "parameters"))
    given = tool | function
    return sent | {key: given[key] for key in _EXTRAS if given.get(key) is not None}


def _schema(parameters: dict[str, Any]) -> dict[str, Any]:
    """An object's schema, which is all that the API takes; no parameters are an object without properties."""
    return {"type": "object", **parameters} if parameters else {"type": "object", "properties": {}}


def _choice(choice: Any) -> dict[str, Any] | None:
    if choice is None:
        return None
    if isinstance(choice, str):
        choice = {"type": choice}
    match choice:
        case {"type": "auto" | "required" | "any" | "none" as mode}:
            return {"type": _CHOICES[mode]}
        case {"type": "allowed_tools", "allowed_tools": {"mode": "auto" | "required" as mode}}:
            return {"type": _CHOICES[mode]}
        case {"type": "function", "function": {"name": str(name)}}:
            return {"type": "tool", "name": name}
        case _:
            raise unsupported("tool_choice", "Anthropic takes none, auto, required, a function or allowed functions.")


def _allowed(asked: dict[str, Any]) -> set[str] | None:
    match asked.get("tool_choice"):
        case {"type": "allowed_tools", "allowed_tools": dict(allowed)}:
            return {get_text(get_object(tool, "function") or tool, "name") for tool in get_objects(allowed, "tools")}
        case _:
            return None


def _web_search(options: dict[str, Any]) -> Tool:
    tool: Tool = {"type": "web_search_20250305", "name": "web_search"}
    if searches := _SEARCHES.get(get_text(options, "search_context_size")):
        tool["max_uses"] = searches
    place = get_object(get_object(options, "user_location"), "approximate")
    if place := {key: place[key] for key in ("city", "country", "region", "timezone") if place.get(key)}:
        tool["user_location"] = {"type": "approximate", **place}
    return tool
