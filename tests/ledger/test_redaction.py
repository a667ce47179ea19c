import json
import re
from typing import Any
from urllib.parse import quote

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from clawgw.ledger.redaction import REDACTED, TRUNCATED, Redactor

PLENTY = 10**9
KEY = "sk-proj-Ab1_cd-Ef2ghIJ3klMN"
ODD = '9"\\\\x/<&\\"+=z9'
SECRETS = st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E), min_size=6, max_size=40)


def nested(levels: int, text: str) -> str:
    """A text of JSON within JSON within JSON, and so on."""
    for _ in range(levels):
        text = json.dumps({"arguments": text})
    return text


def bodies(secret: str) -> st.SearchStrategy[Any]:
    """Values of JSON that hold a secret somewhere."""
    around = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
    text = st.builds(lambda before, after: before + secret + after, around, around)
    leaf = text | st.builds(nested, st.integers(1, 3), text)
    return st.recursive(
        leaf,
        lambda inner: (
            st.builds(lambda before, value, after: [*before, value, *after], OTHERS, inner, OTHERS)
            | st.builds(lambda before, name, value: {**before, name: value}, NAMED, around | text, inner)
        ),
        max_leaves=5,
    )


OTHERS = st.lists(
    st.none() | st.integers(0, 9) | st.text(st.characters(exclude_categories=["Cs"]), max_size=5), max_size=3
)
NAMED = st.dictionaries(st.text(st.characters(exclude_categories=["Cs"]), max_size=5), st.booleans(), max_size=3)


def spelled_out(text: str) -> set[str]:
    """A text, and what it says as JSON, and what the texts in that say, and so on."""
    found, new = set[str](), {text}
    while new:
        found |= new
        new = {inner for each in new for inner in texts_in(each)} - found
    return found


def texts_in(text: str) -> set[str]:
    try:
        value = json.loads(text)
    except ValueError:
        return set()
    waiting, found = [value], set[str]()
    while waiting:
        value = waiting.pop()
        if isinstance(value, str):
            found.add(value)
        elif isinstance(value, dict):
            waiting += [*value, *value.values()]
        elif isinstance(value, list):
            waiting += value
    return found


@given(SECRETS, st.data())
def test_no_secret_is_left_wherever_it_is(secret: str, data: st.DataObject) -> None:
    if secret in REDACTED or REDACTED in secret:
        return
    body = data.draw(bodies(secret))
    kept = Redactor.of([secret, "another-secret"]).json(body, PLENTY)
    assert not [text for text in spelled_out(kept) if secret in text]


@given(SECRETS, st.data(), st.integers(1, 300))
def test_no_secret_is_left_and_none_begins_where_a_text_is_cut(secret: str, data: st.DataObject, most: int) -> None:
    secret = f"Q{secret}"
    body = ["x" * data.draw(st.integers(0, 300)) + secret + "y" * data.draw(st.integers(0, 9000))]
    kept = Redactor.of([secret]).json(body, most)
    assert len(kept.removesuffix(TRUNCATED)) <= most
    assert "Q" not in kept


@pytest.mark.parametrize("levels", [0, 1, 2, 3])
@pytest.mark.parametrize("secret", [KEY, ODD, '"quoted"', "\\back\\", "a/b", "\\\\\\", '\\"\\"', "é/ü"])
def test_a_secret_that_json_escapes(secret: str, levels: int) -> None:
    redactor = Redactor.of([secret])
    text = nested(levels, f"it is {secret}, yes")
    for spelling in (text, text.replace("/", "\\/"), text.replace("<", "\\u003c").replace("&", "\\u0026")):
        kept = redactor.text(spelling)
        assert REDACTED in kept
        assert not [each for each in spelled_out(kept) if secret in each]


@pytest.mark.parametrize("secret", [KEY, ODD, "\\back\\", "a/b", "100%sure", "é/ü"])
def test_a_secret_in_an_address(secret: str) -> None:
    address = f"https://example.com/?key={quote(secret, safe='')}&x=1"
    for spelling in (address, address.replace("%2F", "%2f")):
        assert Redactor.of([secret]).text(spelling) == "https://example.com/?key=[redacted]&x=1"


def test_what_is_written_is_json_that_says_the_rest() -> None:
    body = {"model": "m", "messages": [{"role": "user", "content": f'say "{KEY}" twice: {KEY}'}], "n": 1, "stop": None}
    kept = Redactor.of([KEY]).json(body, PLENTY)
    assert orjson.loads(kept) == {
        "model": "m",
        "messages": [{"role": "user", "content": 'say "[redacted]" twice: [redacted]'}],
        "n": 1,
        "stop": None,
    }


def test_a_secret_as_a_number_or_a_name() -> None:
    redactor = Redactor.of(["1234567890", "the-name"])
    assert redactor.json({"n": 1234567890}, PLENTY) == '{"n":[redacted]}'
    assert redactor.json({"the-name": True}, PLENTY) == '{"[redacted]":true}'


def test_the_longer_of_two_secrets_goes_first() -> None:
    assert Redactor.of(["abcdef", "abcdef-more", ""]).text("abcdef-more abcdef") == "[redacted] [redacted]"


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("sk-abc123", "[redacted]"),
        ("(sk-ant-api03-AbC_d-9)", "([redacted])"),
        ("gsk_0123456789abcdef", "[redacted]"),
        ("AIzaSyA1234567890abcdefghijklmnopqrstuv", "[redacted]"),
        ("clawgw-" + "aB3_" * 11, "[redacted]"),
        ("AKIAIOSFODNN7EXAMPLE", "[redacted]"),
        ("ghp_" + "a1" * 18, "[redacted]"),
        ("xoxb-123456789012-abc", "[redacted]"),
        ("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.abc-_", "[redacted]"),
        ("a\n-----BEGIN RSA PRIVATE KEY-----\nMII=\n-----END RSA PRIVATE KEY-----\nb", "a\n[redacted]\nb"),
        ("-----BEGIN PRIVATE KEY-----\nMII", "[redacted]"),
        ("Authorization: Bearer abc.def-123", "Authorization: Bearer [redacted]"),
        ("authorization: Basic dXNlcjpwYXNz", "authorization: Basic [redacted]"),
        ("BEARER  abcdefgh", "BEARER  [redacted]"),
        ("x-api-key: 0123456789", "x-api-key: [redacted]"),
        ('{"x-goog-api-key": "0123456789"}', '{"x-goog-api-key": "[redacted]"}'),
        ('{\\"apiKey\\":\\"0123456789\\"}', '{\\"apiKey\\":\\"[redacted]\\"}'),
        ("MISTRAL_API_KEY=0123456789 x", "MISTRAL_API_KEY=[redacted] x"),
    ],
)
def test_what_is_shaped_like_a_secret(text: str, kept: str) -> None:
    assert Redactor.of([]).text(text) == kept


@pytest.mark.parametrize(
    "text",
    [
        "a risk-averse-person and task-forces",
        "an api key is a secret; its length: 51",
        "The bearer of this has authorization",
        "Bearer tokens: see below",
        "eyJ",
    ],
)
def test_what_only_looks_a_little_like_one_stays(text: str) -> None:
    assert Redactor.of([]).text(text) == text


def test_a_member_that_is_named_like_a_secret() -> None:
    body = {"X-Api-Key": "a b", "password": "hunter2", "api_key": {"type": "string"}, "tokens": "t", "client_secret": 7}
    assert orjson.loads(Redactor.of([]).json(body, PLENTY)) == {
        **body,
        "X-Api-Key": "[redacted]",
        "password": "[redacted]",
    }


def test_patterns_of_the_configuration() -> None:
    redactor = Redactor.of([], [r"\b\d{3}-\d{2}-\d{4}\b", r"(?i)project (\w+)"])
    assert redactor.json(["078-05-1120", "Project Babel begins"], PLENTY) == '["[redacted]","[redacted] begins"]'


@pytest.mark.parametrize("most", range(1, 40))
def test_as_many_bytes_as_wanted_and_no_half_character(most: int) -> None:
    body = {"a": "x€y𝄞z", "b": ["é", "ab"]}
    whole = orjson.dumps(body)
    kept = Redactor.of([]).json(body, most)
    if len(whole) <= most:
        assert kept == whole.decode()
    else:
        assert kept == whole[:most].decode(errors="ignore") + "[truncated]"
        assert len(kept.encode()) >= most - 3 + len("[truncated]")


@given(
    st.recursive(
        st.none() | st.text("a€\n") | st.booleans(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text("b"), inner),
    ),
    st.integers(1, 60),
)
def test_what_is_cut_is_the_beginning_of_the_whole(body: Any, most: int) -> None:
    whole = orjson.dumps(body)
    kept = Redactor.of([]).json(body, most)
    assert kept == (whole.decode() if len(whole) <= most else whole[:most].decode(errors="ignore") + TRUNCATED)


def test_a_long_text_is_not_looked_at_to_its_end() -> None:
    """10 MB would take a second."""
    looked_at = list[int]()

    class Spy(str):
        __slots__ = ()

        def __getitem__(self, place: Any) -> str:
            looked_at.append(place.stop)
            return super().__getitem__(place)

    kept = Redactor.of([]).json({"a": Spy("word " * 2_000_000), "b": 1}, 1000)
    assert looked_at == [1000 - len('{"a":') + 4096]
    assert kept == '{"a":"' + ("word " * 200)[: 1000 - 6] + "[truncated]"


def test_what_was_cut_before_says_so() -> None:
    assert Redactor.of([]).json({"a": 1}, 100, cut=True) == '{"a":1}[truncated]'


def test_of_a_text_that_may_end_within_a_secret_its_beginning_goes_too() -> None:
    redactor = Redactor.of([KEY, "mistral-key-with-no-shape"])
    assert redactor.json(["it is mistral-key-with"], PLENTY, whole=False) == '["it is [redacted]"]'
    assert redactor.json(["it is mistral-key-with"], PLENTY) == '["it is mistral-key-with"]'
    assert redactor.json(["it is mis"], PLENTY, whole=False) == '["it is mis"]'


@pytest.mark.parametrize("secret", ["\\x", '\\"\\"x', "a\\b"])
@pytest.mark.parametrize(
    "text", ["\\" * 60_000, '\\"' * 30_000, " " * 60_000, "earer" + " " * 60_000, "pikey" * 12_000]
)
def test_no_text_takes_more_than_its_length_to_search(secret: str, text: str) -> None:
    """By the square of it, these would take minutes."""
    assert Redactor.of([secret]).text(text) == text


def test_a_secret_is_no_regular_expression() -> None:
    assert Redactor.of(["a.c*(d"]).text("abcccd a.c*(d") == "abcccd [redacted]"
    with pytest.raises(re.error):
        Redactor.of([], ["("])
