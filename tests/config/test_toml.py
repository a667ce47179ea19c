import pytest
from hypothesis import given
from hypothesis import strategies as st

from clawgw.config.mistakes import ConfigError
from clawgw.config.toml import MAX_DEPTH, parse


def only_mistake(text: str) -> str:
    with pytest.raises(ConfigError) as caught:
        parse(text, "gateway.toml")
    (mistake,) = caught.value.mistakes
    return str(mistake)


def test_a_file_becomes_plain_data() -> None:
    assert parse('[a]\nb = [1, "x"]', "gateway.toml") == {"a": {"b": [1, "x"]}}


def test_a_broken_line_is_named() -> None:
    assert only_mistake("[server]\nworkers = = 1\n").startswith("gateway.toml:2:11: ")
    assert "line" not in only_mistake("[server]\nworkers = = 1\n")


def test_a_file_that_ends_too_early_says_so() -> None:
    assert only_mistake("a = ") == "gateway.toml: Invalid value (at end of document)"


@pytest.mark.parametrize("text", [f"a = {'9' * 5000}", f"a = {'[' * 20000}"])
def test_what_python_itself_refuses(text: str) -> None:
    assert only_mistake(text) == "gateway.toml: holds a number that is too long, or too many levels"


def test_levels_are_bounded() -> None:
    assert parse("a = " + "[" * (MAX_DEPTH - 2) + "]" * (MAX_DEPTH - 2), "gateway.toml")
    assert only_mistake(f"{'a.' * MAX_DEPTH}b = 1") == "gateway.toml: has more than 32 levels"


@given(st.text(alphabet=st.sampled_from("ab[]{}=.\"'#\n 1-:,\\x"), max_size=60) | st.text())
def test_any_text_is_data_or_one_mistake(text: str) -> None:
    try:
        assert isinstance(parse(text, "f"), dict)
    except ConfigError as error:
        assert len(error.mistakes) == 1  # noqa: PT017 - either is right
