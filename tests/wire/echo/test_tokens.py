import pytest
from hypothesis import given
from hypothesis import strategies as st

from clawgw.wire.echo.tokens import count_tokens, name_of, say, split_tokens, usage_of


def test_a_token_is_up_to_four_characters_and_the_white_space_before_them() -> None:
    assert split_tokens("Hello, world!  ünïcödé\n") == ["Hell", "o,", " worl", "d!", " ", " ünïc", "ödé", "\n"]


@given(st.text())
def test_tokens_are_the_text_in_pieces(text: str) -> None:
    tokens = split_tokens(text)
    assert "".join(tokens) == text
    assert count_tokens(text) == len(tokens)
    assert all(1 <= len(token) <= 5 for token in tokens)


@pytest.mark.parametrize(
    ("stop", "most", "tokens", "finish_reason"),
    [
        (None, 9, ["one", " two", " thre", "e"], "stop"),
        (None, 4, ["one", " two", " thre", "e"], "stop"),
        (None, 3, ["one", " two", " thre"], "length"),
        (None, 0, [], "length"),
        (" t", 9, ["one"], "stop"),
        (["three", "two", ""], 9, ["one", " "], "stop"),
        (["none", "of them"], 2, ["one", " two"], "length"),
        (" three", 1, ["one"], "length"),
        ("one", 0, [], "stop"),
        ([], 9, ["one", " two", " thre", "e"], "stop"),
    ],
)
def test_a_text_ends_at_a_stop_sequence_or_a_limit(
    stop: str | list[str] | None, most: int, tokens: list[str], finish_reason: str
) -> None:
    said = say("one two three", stop, most)
    assert (list(said.tokens), said.finish_reason) == (tokens, finish_reason)


def test_usage_is_in_openais_shape_too() -> None:
    usage = usage_of(3, 5, reasoning=2)
    assert (usage.prompt, usage.completion, usage.reasoning) == (3, 5, 2)
    assert usage.body == {
        "prompt_tokens": 3,
        "completion_tokens": 5,
        "total_tokens": 8,
        "prompt_tokens_details": {"cached_tokens": 0},
        "completion_tokens_details": {"reasoning_tokens": 2},
    }


def test_a_name_depends_on_what_is_asked_and_not_on_the_order_of_its_fields() -> None:
    assert name_of({"a": 1, "b": [2]}) == name_of({"b": [2], "a": 1})
    assert name_of({"a": 1}) != name_of({"a": 2})
    # printf '{"a":1}' | sha256sum
    assert name_of({"a": 1}) == "015abd7f5cc57a2dd94b7590"
