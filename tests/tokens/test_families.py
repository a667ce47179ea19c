import pytest

from clawgw.tokens.families import family_of, matches, plain_name


@pytest.mark.parametrize(
    ("model", "vocabulary", "exact"),
    [
        # tiktoken's model.py, MODEL_TO_ENCODING and MODEL_PREFIX_TO_ENCODING.
        ("gpt-4o", "o200k_base", True),
        ("gpt-4o-mini-2024-07-18", "o200k_base", True),
        ("chatgpt-4o-latest", "o200k_base", True),
        ("gpt-4.1-nano", "o200k_base", True),
        ("gpt-5.4", "o200k_base", True),
        ("o1", "o200k_base", True),
        ("o3-mini", "o200k_base", True),
        ("gpt-4-0613", "cl100k_base", True),
        ("gpt-4-turbo", "cl100k_base", True),
        ("gpt-3.5-turbo", "cl100k_base", True),
        ("gpt-35-turbo", "cl100k_base", True),
        ("text-embedding-3-small", "cl100k_base", True),
        ("davinci-002", "cl100k_base", True),
        ("ft:gpt-4o-mini-2024-07-18:acme::a1b2", "o200k_base", True),
        ("openai/gpt-4o", "o200k_base", True),
        # In nobody's table, or with a prompt of the provider's own before ours.
        ("gpt-6-luna", "o200k_base", False),
        ("gpt-4o-search-preview", "o200k_base", False),
        ("gpt-4o-audio-preview", "o200k_base", False),
        ("openai/gpt-oss-120b", "o200k_base", False),
        ("claude-opus-5", "o200k_base", False),
        ("anything", "o200k_base", False),
    ],
)
def test_the_vocabulary_of_a_model(model: str, vocabulary: str, exact: bool) -> None:  # noqa: FBT001  a table's column
    family = family_of(model)
    assert (family.vocabulary, family.exact) == (vocabulary, exact)


def test_anthropics_own_prompt_for_tools() -> None:
    """Claude 4: 346 tokens ("Tool use with Claude", pricing)."""
    assert family_of("claude-sonnet-4-20250514").tools == 346


@pytest.mark.parametrize(
    ("model", "plain"),
    [("GPT-4o", "gpt-4o"), ("a/b/c", "c"), ("ft:gpt-4o:x::y", "gpt-4o"), ("models/gemini-3-pro", "gemini-3-pro")],
)
def test_plain_names(model: str, plain: str) -> None:
    assert plain_name(model) == plain


def test_patterns() -> None:
    assert matches("gpt-4o", ("x", "gpt-*"))
    assert not matches("gpt-4o", ("gpt-4",))
