"""Tools and their choice: OpenAI's list as Gemini's `tools` and `toolConfig`.

Function schemas go out unmodified as `parametersJsonSchema`. Google's own tools stand in the list by their type, their
options beside it: `{"type": "google_search", …options}`.
Sources: https://ai.google.dev/api/caching#Tool, https://ai.google.dev/gemini-api/docs/function-calling.
"""

from typing import Any

from clawgw.wire.gemini.media import unsupported
from clawgw.wire.gemini.models import ModelTraits
from clawgw.wire.json_body import get_object, get_text

Json = dict[str, Any]

_NATIVE = {
    "google_search": "googleSearch",
    "google_maps": "googleMaps",
    "url_context": "urlContext",
    "code_execution": "codeExecution",
    "file_search": "fileSearch",
    "computer_use": "computerUse",
}
_MODES = {"none": "NONE", "auto": "AUTO", "required": "ANY", "any": "ANY"}
_ALLOWED_MODES = {"auto": "VALIDATED", "required": "ANY"}
"""A list of allowed functions goes only with these modes; VALIDATED may also answer with text."""


def tool_fields(body: Json, traits: ModelTraits) -> Json:
    """`tools` and `toolConfig`, where the request has any. Raises `WireError` of kind UNSUPPORTED."""
    tools = body.get("tools") or []
    functions = [_declaration(tool["function"]) for tool in tools if _is_function(tool)]
    native = [_native(tool) for tool in tools if not _is_function(tool)]
    if body.get("web_search_options") is not None:
        native.append({"googleSearch": {}})
    if functions and native and not traits.combines_tools:
        raise unsupported("Gemini models before 3 do not combine functions with Google's own tools.", "tools")
    listed = native + ([{"functionDeclarations": functions}] if functions else [])
    config: Json = {"includeServerSideToolInvocations": True} if functions and native else {}
    if functions and (choice := body.get("tool_choice")) is not None:
        config["functionCallingConfig"] = _calling(choice)
    return {name: value for name, value in (("tools", listed), ("toolConfig", config)) if value}


def _is_function(tool: Json) -> bool:
    return bool(tool.get("type", "function") == "function")


def _declaration(function: Json) -> Json:
    declaration = {
        "name": function["name"],
        "description": function.get("description"),
        "parametersJsonSchema": function.get("parameters"),
    }
    return {name: value for name, value in declaration.items() if value}


def _native(tool: Json) -> Json:
    name = _NATIVE.get(tool["type"])
    if name is None:
        raise unsupported(f"Gemini takes functions and its own tools ({', '.join(_NATIVE)}), no others.", "tools")
    return {name: {option: value for option, value in tool.items() if option != "type"}}


def _calling(choice: Any) -> Json:
    match choice:
        case str(mode) if mode in _MODES:
            return {"mode": _MODES[mode]}
        case {"type": "function", "function": {"name": str(name)}}:
            return {"mode": "ANY", "allowedFunctionNames": [name]}
        case {"type": "allowed_tools", "allowed_tools": {"mode": str(mode), "tools": list(tools)}}:
            names = [get_text(get_object(tool, "function"), "name") for tool in tools]
            if all(names):
                return {"mode": _ALLOWED_MODES[mode], "allowedFunctionNames": names}
    raise unsupported("Gemini's tool choice is none, auto, required, one function or allowed functions.", "tool_choice")
