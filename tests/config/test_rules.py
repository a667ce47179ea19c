import pytest

from clawgw.config.rules import NoneOf, NotEmpty, Parses, Pattern, Range, Rule


@pytest.mark.parametrize(
    ("rule", "right", "wrong", "message"),
    [
        (Range(least=1), 1, 0, "must be at least 1"),
        (Range(above=0), 0.001, 0, "must be more than 0"),
        (Range(least=0, most=1), 1, 1.5, "must be at most 1"),
        (Range(), -1, None, None),
        (Pattern("[a-z]+", "small letters"), "abc", "abc\n", "must be small letters"),
        (NotEmpty("thing"), ("x",), (), "must name at least one thing"),
        (Parses(int), "7", "seven", "invalid literal for int() with base 10: 'seven'"),
        (NoneOf(frozenset({"host"}), "another one"), "x-host", "HOST", "must be another one"),
    ],
)
def test_rules(rule: Rule, right: object, wrong: object, message: str | None) -> None:
    assert rule.complaint(right) is None
    if message is not None:
        assert rule.complaint(wrong) == message


@pytest.mark.parametrize(
    ("rule", "keywords"),
    [
        (Range(least=1), {"minimum": 1}),
        (Range(above=0, most=2), {"exclusiveMinimum": 0, "maximum": 2}),
        (Pattern("a|b", "a or b"), {"pattern": "^(?:a|b)$", "description": "a or b"}),
        (NotEmpty("thing"), {"minItems": 1}),
        (Parses(int), {}),
        (
            Parses(int, (Pattern("[0-9]+", "digits"), Range(least=0))),
            {"pattern": "^(?:[0-9]+)$", "description": "digits", "minimum": 0},
        ),
        (NoneOf(frozenset({"te", "x-a"}), "another one"), {"not": {"pattern": "^(?:[Tt][Ee]|[Xx]-[Aa])$"}}),
    ],
)
def test_rules_in_keywords_of_json_schema(rule: Rule, keywords: object) -> None:
    assert rule.keywords() == keywords
