"""A JSON value in the outline of a JSON Schema, for answers and tool calls that no model has written.

Strings are a given text, an enumeration its first value, numbers 0, booleans false, arrays empty, and objects hold what
they require. Length limits, patterns and ranges are not looked at. Schemas come from clients: nesting and size are
bounded, so one that refers to itself ends in null. Source: https://json-schema.org/draft/2020-12/json-schema-core.
"""

from typing import Any

import orjson
from attrs import define

from clawgw.wire.json_body import get_object

MAX_DEPTH = 32
MAX_BYTES = 65536
"""About the most that a sample takes as JSON; the values beyond it are null."""
MAX_TEXT = 4096
"""How many characters of the text each string has."""

_PLAIN: dict[str, Any] = {"integer": 0, "number": 0, "boolean": False, "array": [], "null": None}
_CHOICES = ("anyOf", "oneOf", "allOf")


def sample(schema: dict[str, Any], text: str) -> Any:
    """The sample. It never raises, whatever the schema holds."""
    return _Sampler(schema, text[:MAX_TEXT], MAX_BYTES).value(schema, MAX_DEPTH)


@define
class _Sampler:
    root: dict[str, Any]
    text: str
    room: int

    def value(self, schema: Any, depth: int) -> Any:
        if depth == 0 or not isinstance(schema, dict):
            return None
        if "const" in schema:
            return self.fitting(schema["const"])
        if enumeration := _list(schema, "enum"):
            return self.fitting(enumeration[0])
        other = self.other(schema)
        if other is not None:
            return self.value(other, depth - 1)
        kind = _kind(schema)
        return self.members(schema, depth) if kind == "object" else self.fitting(_PLAIN.get(kind, self.text))

    def other(self, schema: dict[str, Any]) -> Any:
        """The schema that stands in for this one: what it refers to, or the first of its alternatives."""
        reference = schema.get("$ref")
        if isinstance(reference, str):
            return self.referred(reference)
        return next((options[0] for key in _CHOICES if (options := _list(schema, key))), None)

    def members(self, schema: dict[str, Any], depth: int) -> dict[str, Any]:
        properties = get_object(schema, "properties")
        members: dict[str, Any] = {}
        for name in _list(schema, "required"):
            if isinstance(name, str) and self.fitting(name) is not None:
                members[name] = self.value(properties.get(name, {}), depth - 1)
        return members

    def fitting(self, value: Any) -> Any:
        """The value, or None where there is no room for it."""
        if self.room > 0:
            self.room -= len(orjson.dumps(value))
        return value if self.room > 0 else None

    def referred(self, reference: str) -> Any:
        """What a `$ref` within the schema stands for; None for every other."""
        base, *steps = reference.split("/")
        found: Any = self.root if base == "#" else None
        for step in steps:
            found = found.get(step.replace("~1", "/").replace("~0", "~")) if isinstance(found, dict) else None
        return found


def _kind(schema: dict[str, Any]) -> str:
    kinds = _list(schema, "type") or [schema.get("type")]
    kind = next((kind for kind in kinds if kind != "null"), "null")
    return "object" if kind is None and "properties" in schema else str(kind)


def _list(schema: dict[str, Any], key: str) -> list[Any]:
    value = schema.get(key)
    return value if isinstance(value, list) else []
