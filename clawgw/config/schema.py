"""The shape of `gateway.toml` as a JSON Schema (2020-12), for editors that complete keys and mark mistakes.

It is made from the classes that the loader itself uses, and takes everything that they take. What it cannot refuse:
`4.0` for a whole number (one and the same in JSON), numbers beyond 64 bits, `nan`, and addresses with a port above
65535 or something else than IPv6 between brackets. How tables fit together is for `clawgw check`.
"""

from collections.abc import Callable, Mapping
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import attrs
from attrs import define, field

from clawgw.config.descriptions import DESCRIPTIONS
from clawgw.config.rules import Rule
from clawgw.config.settings import Settings

Schema = dict[str, Any]

_SCALARS: Mapping[Any, Schema] = {
    bool: {"type": "boolean"},
    str: {"type": "string"},
    int: {"type": "integer"},
    float: {"type": "number"},
    Any: {},
}


def json_schema() -> Schema:
    """The schema of a whole file; a definition for every kind of table."""
    writer = _Writer()
    root = writer.table(Settings)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "The configuration of clawgw",
        **root,
        "$defs": dict(sorted(writer.definitions.items())),
    }


@define
class _Writer:
    """Writes schemas of types, and gathers the tables that they name."""

    definitions: dict[str, Schema] = field(factory=dict)

    def table(self, of: type[attrs.AttrsInstance]) -> Schema:
        fields = attrs.fields(of)
        described = DESCRIPTIONS.get(of.__name__, {})
        keys = {key.name: self.key(key, described.get(key.name)) for key in fields}
        required = [key.name for key in fields if key.default is attrs.NOTHING]
        return {
            "type": "object",
            "properties": keys,
            **({"required": required} if required else {}),
            "additionalProperties": False,
        }

    def key(self, key: "attrs.Attribute[Any]", description: str | None) -> Schema:
        schema = self.value(key.type)
        if description is not None:
            schema["description"] = description
        if isinstance(key.default, str | int | float | tuple):
            schema["default"] = list(key.default) if isinstance(key.default, tuple) else key.default
        return schema

    def value(self, of: Any) -> Schema:
        """The schema of a type, a new one each time."""
        if attrs.has(of):
            return self.reference(of)
        origin = get_origin(of)
        return dict(_SCALARS[of]) if origin is None else _COMPOSED[origin](self, *get_args(of))

    def reference(self, of: type[attrs.AttrsInstance]) -> Schema:
        if of.__name__ not in self.definitions:
            self.definitions[of.__name__] = self.table(of)
        return {"$ref": f"#/$defs/{of.__name__}"}

    def ruled(self, plain: Any, *rules: Rule) -> Schema:
        schema = self.value(plain)
        for rule in rules:
            schema |= rule.keywords()
        return schema

    def choice(self, *choices: str) -> Schema:
        return {"enum": list(choices)}

    def either(self, *kinds: Any) -> Schema:
        """Of several types, all plain, or of the only one beside None: TOML has no null."""
        schemas = [self.value(kind) for kind in kinds if kind is not NoneType]
        return schemas[0] if len(schemas) == 1 else {"type": [schema["type"] for schema in schemas]}

    def array(self, item: Any, *_: Any) -> Schema:
        return {"type": "array", "items": self.value(item)}

    def mapping(self, name: Any, value: Any) -> Schema:
        return {"type": "object", "propertyNames": self.value(name), "additionalProperties": self.value(value)}


_COMPOSED: Mapping[Any, Callable[..., Schema]] = {
    Annotated: _Writer.ruled,
    Literal: _Writer.choice,
    Union: _Writer.either,
    UnionType: _Writer.either,
    tuple: _Writer.array,
    Mapping: _Writer.mapping,
}
"""What writes a composed type, by its origin; it is given the type's arguments."""
