from itertools import takewhile

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from clawgw.wire.failure import Kind, WireError
from clawgw.wire.json_body import (
    decode_json_object,
    decode_texts,
    get_count,
    get_counts,
    get_object,
    get_objects,
    get_text,
)


def test_an_object_is_decoded() -> None:
    assert decode_json_object(b' {"a": [1, "\xe2\x82\xac"]} ') == {"a": [1, "€"]}


@pytest.mark.parametrize(
    "body",
    [b"", b"<html>", b"[]", b"1", b"null", b'{"a":NaN}', b'{"a":"\\ud800"}', b"\xff", b'{"a":' * 100_000, b'{"a"'],
)
def test_anything_else_is_invalid(body: bytes) -> None:
    with pytest.raises(WireError) as raised:
        decode_json_object(body)
    assert raised.value.failure.kind is Kind.INVALID


@pytest.mark.parametrize(
    ("strings", "texts"),
    [
        ([], []),
        ([b'"a"', b'"\xc3\xbc"', b' "\\n\\u0041" '], ["a", "ü", "\nA"]),
        ([b'"a"', b'""', b'"b"'], ["a"]),
        ([b'"a"', b"1", b'"b"'], ["a"]),
        ([b'"a"\n', b'"b"'], []),
        ([b'"a"', b'"b"\n'], ["a"]),
        ([b'"a', b'"b","c"'], []),
        ([b'"a\\"', b'"', b'"b"'], []),
        ([b"[", b'"a","b"', b"]"], []),
        ([b'"a"', b'"b","c"', b""], ["a"]),
        ([b'"a"', b"\xff"], ["a"]),
    ],
)
def test_texts_are_taken_up_to_the_first_that_is_none(strings: list[bytes], texts: list[str]) -> None:
    assert decode_texts(strings) == texts


PIECES = st.sampled_from([b'"', b"\\", b"a", b",", b"\n", b"[", b"]", b" ", b"1", b"{}", b":"])


@given(st.lists(st.text(max_size=3).map(orjson.dumps) | st.lists(PIECES, max_size=4).map(b"".join), max_size=5))
def test_texts_are_the_same_among_others_as_by_themselves(strings: list[bytes]) -> None:
    alone = [decode_texts([string]) for string in strings]
    assert decode_texts(strings) == [text for [text] in takewhile(bool, alone)]


def test_counts_are_whole_numbers_above_0() -> None:
    source = {"a": 1, "b": 0, "c": -1, "d": 1.5, "e": True, "f": None, "g": 2**53, "h": 12.0}
    assert get_counts(source) == {"a": 1, "g": 2**53, "h": 12}
    assert {name: get_count(source, name) for name in source if get_count(source, name)} == get_counts(source)


@pytest.mark.parametrize("written", [b"9007199254740993", b"18446744073709551615", b"18446744073709551616", b"1e300"])
def test_a_number_that_could_not_be_written_again_with_others_added_is_no_count(written: bytes) -> None:
    source = orjson.loads(b'{"n": %b}' % written)
    assert get_counts(source) == {}
    assert get_count(source, "n") == 0


def test_readers_take_what_has_the_right_type() -> None:
    source = {"o": {"a": 1}, "l": [{"a": 1}, 2, {}], "t": "x", "n": 3}
    assert get_object(source, "o") == {"a": 1}
    assert get_objects(source, "l") == [{"a": 1}, {}]
    assert get_text(source, "t") == "x"
    assert get_count(source, "n") == 3


@pytest.mark.parametrize("value", [None, -1, 1.5, True, "", [], {}])
def test_readers_turn_anything_else_into_the_empty_value(value: object) -> None:
    source = {"k": value}
    assert get_object(source, "k") == {}
    assert get_objects(source, "k") == []
    assert get_text(source, "k") == ""
    assert get_count(source, "k") == 0
    assert get_count(source, "missing") == 0
