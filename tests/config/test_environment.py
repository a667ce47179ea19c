import pytest
from hypothesis import given
from hypothesis import strategies as st

from clawgw.config.environment import parse_env_file
from clawgw.config.mistakes import ConfigError
from tests.config.loading import mistakes, snapshot


def test_the_variables_win_over_the_file() -> None:
    defaults = snapshot(
        '[defaults]\nprovider = "openai"\nfallback_providers = ["mistral"]\ntemperature = 0.1\nmax_tokens = 10',
        {
            "LLM_PROVIDER": "anthropic",
            "LLM_FALLBACK_PROVIDERS": " openai, ,groq,",
            "LLM_TEMPERATURE": "0.7",
            "LLM_MAX_TOKENS": "4096",
        },
    ).settings.defaults
    assert defaults.provider == "anthropic"
    assert defaults.fallback_providers == ("openai", "groq")
    assert defaults.temperature == 0.7
    assert defaults.max_tokens == 4096


def test_an_empty_variable_leaves_the_files_value() -> None:
    defaults = snapshot(
        '[defaults]\nprovider = "openai"', {"LLM_PROVIDER": "", "LLM_MAX_TOKENS": " "}
    ).settings.defaults
    assert (defaults.provider, defaults.max_tokens) == ("openai", None)


@pytest.mark.parametrize(
    ("name", "value", "line"),
    [
        ("LLM_TEMPERATURE", "warm", "LLM_TEMPERATURE: must be a number, not a string"),
        ("LLM_TEMPERATURE", "2.5", "LLM_TEMPERATURE: must be at most 2"),
        ("LLM_TEMPERATURE", "nan", "LLM_TEMPERATURE: must be a finite number of at most 64 bits"),
        ("LLM_MAX_TOKENS", "4k", "LLM_MAX_TOKENS: must be a whole number, not a string"),
        ("LLM_MAX_TOKENS", "0", "LLM_MAX_TOKENS: must be at least 1"),
        ("LLM_MAX_TOKENS", "9" * 5000, "LLM_MAX_TOKENS: must be a whole number, not a string"),
        ("LLM_PROVIDER", "antropic", "LLM_PROVIDER: no provider is named antropic, did you mean anthropic?"),
        (
            "LLM_FALLBACK_PROVIDERS",
            "openai,gorq",
            "LLM_FALLBACK_PROVIDERS: no provider is named gorq, did you mean groq?",
        ),
    ],
)
def test_a_wrong_variable_is_named(name: str, value: str, line: str) -> None:
    assert mistakes(environ={name: value}) == [line]


def test_every_wrong_variable_is_named() -> None:
    assert mistakes(environ={"LLM_TEMPERATURE": "9", "LLM_PROVIDER": "nobody", "LLM_MAX_TOKENS": "-1"}) == [
        "LLM_TEMPERATURE: must be at most 2",
        "LLM_MAX_TOKENS: must be at least 1",
        "LLM_PROVIDER: no provider is named nobody",
    ]


@pytest.mark.parametrize(
    ("line", "value"),
    [
        ("A=1", "1"),
        ("  A = 1 2  ", "1 2"),
        ("export A=1", "1"),
        ("A=", ""),
        ("A=  # nothing", ""),
        ("A=a#b # c", "a#b"),
        ("A=a=b", "a=b"),
        ("A='a # $B \\n' # c", "a # $B \\n"),
        ('A="a\\n\\"b\\" \\$x \\q"', 'a\n"b" $x \\q'),
        ('A="" ', ""),
        ("A=it's", "it's"),
    ],
)
def test_lines_of_an_env_file(line: str, value: str) -> None:
    assert parse_env_file(f"# first\n\n{line}\r\nB=2", ".env") == {"A": value, "B": "2"}


@pytest.mark.parametrize("line", ["A", "1A=x", "A B=c", "=x", 'A="open', "A='open", "A='a' b", "A-B=c"])
def test_a_line_that_is_none_is_named_but_not_shown(line: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse_env_file(f"OK=1\n{line}\nOK=2\n{line}", "prod.env")
    assert str(caught.value) == "prod.env:2: must be NAME=VALUE\nprod.env:4: must be NAME=VALUE"


def test_the_last_line_of_a_name_counts() -> None:
    assert parse_env_file("A=1\nA=2", ".env") == {"A": "2"}


@given(st.text())
def test_any_text_is_variables_or_mistakes(text: str) -> None:
    try:
        assert all(name.isidentifier() for name in parse_env_file(text, "f"))
    except ConfigError as error:
        assert {mistake.message for mistake in error.mistakes} == {"must be NAME=VALUE"}  # noqa: PT017 - either is right
