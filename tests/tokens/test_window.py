import pytest

from clawgw.policy import Target
from clawgw.tokens.prompt import Count
from clawgw.tokens.window import fits, needs_no_count, too_long
from tests.tokens.requests import chat, embeddings, text

TARGET = Target("openai", "gpt-4")


def test_as_many_bytes_as_the_window_has_tokens_fit_anyway() -> None:
    assert needs_no_count(chat("x" * 1050), 1000)
    assert not needs_no_count(chat("x" * 1051), 1000)


def test_a_beta_may_widen_the_window() -> None:
    """https://platform.claude.com/docs/en/build-with-claude/context-windows"""
    assert needs_no_count(chat("x" * 2000, betas=["other", "context-1m-2025-08-07"]), 1000)
    assert not needs_no_count(chat("x" * 2000, betas=["other"]), 1000)


@pytest.mark.parametrize(("surely", "fitting"), [(1050, True), (1051, False)])
def test_a_window_may_be_5_percent_larger_than_it_is_said_to_be(surely: int, fitting: bool) -> None:  # noqa: FBT001  a table's column
    assert fits(Count(10_000, "exact", surely), 1000) is fitting


def test_the_error_names_numbers_and_the_field() -> None:
    count = Count(9000, "exact", 9000)
    error = too_long(chat("hi").request, TARGET, count, 8192)
    assert (error.status, error.code, error.param) == (400, "context_length_exceeded", "messages")
    assert error.message == (
        "This model's maximum context length is 8192 tokens (openai/gpt-4), and the prompt is 9000 tokens. Shorten it."
    )


def test_an_estimate_is_called_one() -> None:
    assert "about 9000 tokens" in too_long(chat("hi").request, TARGET, Count(9000, "estimated", 4500), 1000).message


def test_the_field_of_the_other_endpoints() -> None:
    count = Count(9000, "exact", 9000)
    assert too_long(text("hi").request, TARGET, count, 1).param == "prompt"
    assert too_long(embeddings("hi").request, TARGET, count, 1).param == "input"
