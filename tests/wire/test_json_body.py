import pytest

from clawgw.wire.codec import Kind, WireError
from clawgw.wire.json_body import decode_json_object, get_count, get_object, get_objects, get_text


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
