"""Tools and JSON schemas as the text that they become in a prompt.

OpenAI shows its models functions as TypeScript declarations (observed; the cookbook's "Counting tokens for chat
completions with tool calls" counts the same thing by keys). Other vendors publish no form; JSON is about as long.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import orjson

MAX_DEPTH = 16
"""Of nested schemas; what is deeper is left out of the estimate."""

_SCALARS = {"string": "string", "integer": "number", "number": "number", "boolean": "boolean", "null": "null"}


def offered(body: Mapping[str, Any]) -> Sequence[Any]:
    """The tools of a chat request, and its functions, the older form of them."""
    tools, functions = body.get("tools"), body.get("functions")
    return [*(tools or ()), *functions] if functions else tools or []


def as_json(value: object) -> str:
    """Compact JSON."""
    return orjson.dumps(value).decode()


def as_declarations(tools: Sequence[Any]) -> str:
    """`namespace functions { type name = (_: {…}) => any; }`; a tool that is no function, as JSON."""
    lines = ["namespace functions {", ""]
    for tool in tools:
        lines += [*_declaration(tool), ""]
    return "\n".join([*lines, "} // namespace functions"])


def _declaration(tool: Any) -> Iterator[str]:
    function = tool.get("function", tool) if isinstance(tool, Mapping) else None
    if not isinstance(function, Mapping) or "name" not in function:
        yield as_json(tool)
        return
    if function.get("description"):
        yield f"// {function['description']}"
    parameters = function.get("parameters")
    if _object(parameters).get("properties"):
        yield f"type {function['name']} = (_: {{"
        yield from _members(_object(parameters), 0)
        yield "}) => any;"
    else:
        yield f"type {function['name']} = () => any;"


def _members(schema: Mapping[str, Any], depth: int) -> Iterator[str]:
    required = schema.get("required")
    for name, member in _object(schema.get("properties")).items():
        described = _object(member).get("description")
        if described and depth < 2:
            yield f"// {described}"
        optional = "" if isinstance(required, list) and name in required else "?"
        yield f"{name}{optional}: {_type(_object(member), depth + 1)},"


def _type(schema: Mapping[str, Any], depth: int) -> str:
    if depth > MAX_DEPTH:
        return "any"
    if isinstance(schema.get("enum"), list):
        return " | ".join(as_json(value) for value in schema["enum"])
    for union in ("anyOf", "oneOf"):
        if isinstance(schema.get(union), list):
            return " | ".join(_type(_object(one), depth + 1) for one in schema[union])
    kind = schema.get("type")
    if kind == "array":
        return f"{_type(_object(schema.get('items')), depth + 1)}[]"
    if kind == "object":
        return "\n".join(["{", *_members(schema, depth), "}"])
    return _SCALARS.get(kind, "any") if isinstance(kind, str) else "any"


def _object(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}
