from typing import Any

from clawgw.tokens.tools import MAX_DEPTH, as_declarations, as_json, offered


def function(properties: dict[str, Any], **more: Any) -> dict[str, Any]:
    parameters = {"type": "object", "properties": properties, **more}
    return {"type": "function", "function": {"name": "f", "parameters": parameters}}


def members(properties: dict[str, Any], **more: Any) -> list[str]:
    return as_declarations([function(properties, **more)]).splitlines()[3:-3]


def test_a_function_as_a_declaration() -> None:
    tool = function({"city": {"type": "string", "description": "Where."}}, required=["city"])
    tool["function"]["description"] = "The weather."
    assert as_declarations([tool]) == (
        "namespace functions {\n\n// The weather.\ntype f = (_: {\n// Where.\ncity: string,\n}) => any;\n\n"
        "} // namespace functions"
    )


def test_every_kind_of_type() -> None:
    assert members(
        {
            "a": {"type": "integer"},
            "b": {"enum": ["x", 1]},
            "c": {"type": "array", "items": {"type": "boolean"}},
            "d": {"anyOf": [{"type": "number"}, {"type": "null"}]},
            "e": {"oneOf": [{"type": "string"}]},
            "f": {"type": ["string", "null"]},
            "g": {"type": "object", "properties": {"h": {"type": "string"}}, "required": ["h"]},
            "i": True,
            "j": {"type": "strange"},
        }
    ) == [
        "a?: number,",
        'b?: "x" | 1,',
        "c?: boolean[],",
        "d?: number | null,",
        "e?: string,",
        "f?: any,",
        "g?: {",
        "h: string,",
        "},",
        "i?: any,",
        "j?: any,",
    ]


def test_descriptions_deep_down_are_left_out() -> None:
    deep = {"type": "string", "description": "third"}
    second = {"type": "object", "description": "second", "properties": {"z": deep}}
    first = {"type": "object", "description": "first", "properties": {"y": second}}
    assert members({"x": first}) == ["// first", "x?: {", "// second", "y?: {", "z?: string,", "},", "},"]


def test_what_is_too_deep_is_left_out() -> None:
    schema: dict[str, Any] = {"type": "string"}
    for _ in range(10 * MAX_DEPTH):
        schema = {"type": "array", "items": schema}
    assert members({"x": schema}) == [f"x?: any{'[]' * MAX_DEPTH},"]


def test_functions_without_parameters_and_other_tools() -> None:
    bare = {"type": "function", "function": {"name": "f"}}
    strange = {"type": "web_search", "filters": {}}
    assert as_declarations([bare, strange, {"name": "g"}, 7]).splitlines()[2:-2] == [
        "type f = () => any;",
        "",
        '{"type":"web_search","filters":{}}',
        "",
        "type g = () => any;",
        "",
        "7",
    ]


def test_what_is_offered() -> None:
    assert offered({"tools": [1], "functions": [2]}) == [1, 2]
    assert offered({"tools": None}) == []
    assert as_json({"a": "é"}) == '{"a":"é"}'
