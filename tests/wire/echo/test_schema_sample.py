from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from clawgw.wire.echo.schema_sample import MAX_BYTES, MAX_TEXT, sample

KEYWORDS = st.sampled_from(["type", "properties", "required", "enum", "const", "anyOf", "$ref", "items", "a"])
LEAVES = st.sampled_from(["object", "string", "null", "number", "#", "#/a", "#/properties/a", "a", 1, None, True])
VALUES = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYWORDS, inner, max_size=3), max_leaves=12
)
SCHEMAS = st.dictionaries(KEYWORDS, VALUES, max_size=4)


@pytest.mark.parametrize(
    ("schema", "value"),
    [
        ({"type": "string"}, "hi"),
        ({"type": "integer"}, 0),
        ({"type": "number"}, 0),
        ({"type": "boolean"}, False),
        ({"type": "array", "items": {"type": "string"}}, []),
        ({"type": "null"}, None),
        ({"type": "object"}, {}),
        ({}, "hi"),
        ({"type": ["null", "integer"]}, 0),
        ({"type": ["null"]}, None),
        ({"type": "string", "enum": ["b", "a"]}, "b"),
        ({"enum": []}, "hi"),
        ({"const": {"k": [1]}}, {"k": [1]}),
        ({"const": None}, None),
        ({"anyOf": [{"type": "number"}, {"type": "string"}]}, 0),
        ({"oneOf": [], "allOf": [{"type": "array"}]}, []),
        (
            {
                "properties": {"a": {"type": "string"}, "b": {"type": "boolean"}, "c": {"type": "null"}},
                "required": ["a", "b"],
            },
            {"a": "hi", "b": False},
        ),
        ({"type": "object", "required": ["unheard", 5]}, {"unheard": "hi"}),
        (
            {
                "type": "object",
                "properties": {"at": {"$ref": "#/$defs/a~1b/point~0"}},
                "required": ["at"],
                "$defs": {
                    "a/b": {"point~": {"type": "object", "properties": {"x": {"type": "number"}}, "required": ["x"]}}
                },
            },
            {"at": {"x": 0}},
        ),
        ({"$ref": "https://example.com/schema.json"}, "hi"),
        ({"$ref": "#/nowhere/at/all"}, "hi"),
    ],
)
def test_a_sample_has_the_outline_of_its_schema(schema: dict[str, Any], value: object) -> None:
    assert sample(schema, "hi") == value


def test_a_schema_that_refers_to_itself_ends() -> None:
    value = sample({"$ref": "#"}, "hi")
    assert value is None


def test_a_schema_that_multiplies_itself_stays_small() -> None:
    names = [f"child{number}" for number in range(20)]
    schema = {"type": "object", "properties": {name: {"$ref": "#"} for name in names}, "required": names}
    assert len(orjson.dumps(sample(schema, "hi"))) < 3 * MAX_BYTES


def test_large_values_do_not_add_up() -> None:
    names = [str(number) for number in range(1000)]
    schema = {"type": "object", "properties": {name: {"const": "x" * 60_000} for name in names}, "required": names}
    value = sample(schema, "hi")
    assert value["0"] == "x" * 60_000
    assert value["1"] is None


def test_a_string_has_the_beginning_of_a_long_text() -> None:
    assert sample({"type": "string"}, "x" * 10_000) == "x" * MAX_TEXT


@given(schema=SCHEMAS)
def test_whatever_the_schema_says_the_sample_is_json(schema: dict[str, Any]) -> None:
    orjson.dumps(sample(schema, "hi"))
