"""What editors are told is what the loader does: one property over data made from the very types, right and wrong."""

import re
import tomllib
from collections.abc import Callable, Iterator, Mapping
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError
from jsonschema.validators import extend

from clawgw.config import values
from clawgw.config.addresses import parse_bind
from clawgw.config.descriptions import DESCRIPTIONS
from clawgw.config.rules import Parses, Pattern, Rule
from clawgw.config.schema import json_schema
from clawgw.config.settings import Settings
from clawgw.config.shape import shape
from tests.config.shapes import MISTAKES
from tests.docs.markdown import ROOT, blocks

NOT_FOR_JSON = (
    "must be a whole number, not a number",
    "must be a finite number of at most 64 bits",
    "must have a port from 0 to 65535",
    "must have an IPv6 address between the brackets",
)
"""What the loader refuses and a schema cannot."""


def pattern(_: Any, regex: str, instance: object, __: Mapping[str, Any]) -> Iterator[ValidationError]:
    """As ECMA 262 has it: `$` is the end alone, where Python's is also before a line break at the end."""
    assert regex.startswith("^")
    assert regex.endswith("$")
    if isinstance(instance, str) and not re.search(regex.removesuffix("$") + r"\Z", instance):
        yield ValidationError(f"does not match {regex}")


VALIDATOR = extend(Draft202012Validator, {"pattern": pattern})(json_schema())  # type: ignore[no-untyped-call] # its stubs leave it out


def complaints(data: object) -> list[str]:
    return [error.message for error in VALIDATOR.iter_errors(data)]


def test_it_is_a_schema() -> None:
    Draft202012Validator.check_schema(json_schema())


def test_the_projects_own_file_names_it() -> None:
    first_line = (ROOT / "gateway.toml").read_text().partition("\n")[0]
    assert first_line == "#:schema docs/gateway.schema.json"
    assert (ROOT / "docs" / "gateway.schema.json").exists()


@pytest.mark.parametrize(("data", "line"), MISTAKES, ids=[line for _, line in MISTAKES])
def test_the_loaders_mistakes_are_those_of_editors(data: dict[str, Any], line: str) -> None:
    assert bool(complaints(data)) or line.endswith(NOT_FOR_JSON)


@pytest.mark.parametrize(
    "data",
    [
        {"server": {"workers": 4.5}},
        {"server": {"bind": ["127.0.0.1"]}},
        {"metrics": {"bind": "9090"}},
        {"routes": {"r": {"targets": ["a/b"], "hedge_after": "p0"}}},
        {"routes": {"r": {"targets": ["a/b"], "hedge_after": 0}}},
        {"routes": {"r*x": {"targets": ["a/b"]}}},
        {"providers": {"openai": {"headers": {"AUTHORIZATION": "x"}}}},
        {"providers": {"openai": {"api_keys": ["sk-123"]}}},
        {"providers": {"openai": {"timeout": {}}}},
    ],
)
def test_a_mistake_that_is_one_for_both(data: dict[str, Any]) -> None:
    assert shape(data).mistakes
    assert complaints(data)


@pytest.mark.parametrize(
    "data",
    [
        {"server": {"workers": 4.0}},
        {"server": {"bind": ["h:65536"]}},
        {"server": {"bind": ["[1.2]:80"]}},
        {"server": {"drain_s": float("inf")}},
        {"retry": {"base_s": float("nan")}},
        {"cache": {"max_bytes": 2**63}},
    ],
)
def test_what_only_the_loader_refuses(data: dict[str, Any]) -> None:
    (mistake,) = shape(data).mistakes
    assert mistake.message in NOT_FOR_JSON
    assert complaints(data) == []


PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
EXAMPLES = {
    f"{page.name}:{block.line}": block.text
    for page in PAGES
    for block in blocks(page.read_text())
    if block.language == "toml"
}


@pytest.mark.parametrize("text", [(ROOT / "gateway.toml").read_text(), *EXAMPLES.values()], ids=["own", *EXAMPLES])
def test_every_example_is_right(text: str) -> None:
    assert complaints(tomllib.loads(text)) == []


def test_every_description_is_of_a_key() -> None:
    schema = json_schema()
    tables = {"Settings": schema, **schema["$defs"]}
    for name, described in DESCRIPTIONS.items():
        assert set(described) <= set(tables[name]["properties"])


PARSED: dict[Callable[..., object], list[str | float]] = {
    parse_bind: ["127.0.0.1:8080", "[::1]:0", "gw.example.com:443"],
    values.parse_optional_bind: ["", "localhost:9090"],
    values.parse_hedge_after: ["p1", "p99", 0.5, 2],
    values.parse_regex: [r"\d{16}", "(?i)babel|eden", "a\nb"],
}


def right(of: Any) -> st.SearchStrategy[Any]:
    """Data for a type, as a file may have it."""
    if attrs.has(of):
        required = {key.name: right(key.type) for key in attrs.fields(of) if key.default is attrs.NOTHING}
        others = {key.name: right(key.type) for key in attrs.fields(of) if key.default is not attrs.NOTHING}
        return st.fixed_dictionaries(required, optional=others)
    origin = get_origin(of)
    return SCALARS[of] if origin is None else COMPOSED[origin](*get_args(of))


def ruled(plain: Any, *rules: Rule) -> st.SearchStrategy[Any]:
    match rules:
        case [Pattern(regex=regex), *others]:
            fitting = st.from_regex(regex, fullmatch=True)
            return fitting.filter(lambda text: not any(rule.complaint(text) for rule in others))
        case [Parses(parse=parse)]:
            return st.sampled_from(PARSED[parse])
        case _:
            return right(plain)


def either(*kinds: Any) -> st.SearchStrategy[Any]:
    return st.one_of([right(kind) for kind in kinds if kind is not NoneType])


SCALARS: dict[Any, st.SearchStrategy[Any]] = {
    bool: st.booleans(),
    str: st.text(),
    int: st.integers(1, 10**5),
    float: st.integers(1, 1) | st.floats(0.001, 1),
    Any: st.none() | st.integers() | st.text() | st.lists(st.booleans()) | st.dictionaries(st.text(), st.text()),
}
"""Numbers within every range there is."""


COMPOSED: dict[Any, Callable[..., st.SearchStrategy[Any]]] = {
    Annotated: ruled,
    Literal: lambda *choices: st.sampled_from(choices),
    Union: either,
    UnionType: either,
    tuple: lambda item, _: st.lists(right(item), min_size=1, max_size=2),
    Mapping: lambda name, value: st.dictionaries(right(name), right(value), max_size=2),
}


WRONG = st.one_of(
    st.sampled_from([True, 0, -1, 3, 4.5, -0.5, 1.5, "", " ", "a b", "p100", "x:y\n", "env:", "env:A\n", "*", "a/b"]),
    st.text(),
    st.integers(),
    st.just([]) | st.just({}),
    st.lists(st.text(), max_size=1),
    st.dictionaries(st.text(max_size=3) | st.sampled_from(["Host", "name", "a/b"]), st.integers() | st.just({})),
)


def places(data: Any) -> Iterator[tuple[Any, Any]]:
    """Every table with each of its keys, and every list with each of its indexes."""
    for key in data if isinstance(data, dict) else range(len(data)) if isinstance(data, list) else ():
        yield data, key
        yield from places(data[key])


@given(right(Settings))
def test_what_the_loader_takes_is_taken(data: dict[str, Any]) -> None:
    assert shape(data).mistakes == []
    assert complaints(data) == []


@given(right(Settings).filter(bool), st.data())
def test_what_is_wrong_for_the_loader_is_wrong(data: dict[str, Any], draw: st.DataObject) -> None:
    holder, key = draw.draw(st.sampled_from(list(places(data))))
    if isinstance(holder, dict) and draw.draw(st.booleans()):
        moved = holder.pop(key)
        if draw.draw(st.booleans()):
            holder[draw.draw(st.text(max_size=5))] = moved
    else:
        holder[key] = draw.draw(WRONG)
    mistakes = shape(data).mistakes
    if all(mistake.message not in NOT_FOR_JSON for mistake in mistakes):
        assert bool(complaints(data)) is bool(mistakes)
