import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rs_bpe import bpe

from clawgw.tokens.vocabulary import PIECE, Vocabulary, count_text

ANY_TEXT = st.text(st.characters())
"""Lone surrogates among it."""
VOCABULARIES: tuple[Vocabulary, ...] = ("o200k_base", "cl100k_base")


@pytest.mark.parametrize(
    ("text", "o200k", "cl100k"),
    [
        # The cookbook's own examples, "How to count tokens with tiktoken", section 5.
        ("antidisestablishmentarianism", 6, 6),
        ("2 + 2 = 4", 7, 7),
        ("お誕生日おめでとう", 8, 9),
        ("tiktoken is great!", 6, 6),
        ("", 0, 0),
    ],
)
def test_published_counts(text: str, o200k: int, cl100k: int) -> None:
    assert (count_text(text, "o200k_base"), count_text(text, "cl100k_base")) == (o200k, cl100k)


def test_what_looks_like_a_special_token_is_text() -> None:
    assert count_text("<|endoftext|>", "o200k_base") > 1


@given(ANY_TEXT, st.sampled_from(VOCABULARIES))
def test_any_text_has_a_count_and_no_more_tokens_than_bytes(text: str, vocabulary: Vocabulary) -> None:
    assert bool(text) <= count_text(text, vocabulary) <= len(text.encode(errors="replace"))


def test_a_lone_surrogate_counts_as_a_question_mark() -> None:
    assert count_text("what\ud800", "o200k_base") == count_text("what?", "o200k_base")


WORDS = st.lists(
    st.sampled_from(["word", "Straße", "don't", "1234", "x=1;", "…", "a\nb", "日本語", "don\u2019t"]), min_size=1
)
WHITE = st.lists(st.sampled_from(["word", "\n", "  ", "\t", "\r\n/", "日本語" * 9]), min_size=1)


def _error(seed: str, vocabulary: Vocabulary) -> tuple[int, int]:
    """By how many tokens a long text is wrong, and its pieces."""
    text = seed * (3 * PIECE // len(seed) + 1)
    tokenizer = bpe.openai.o200k_base() if vocabulary == "o200k_base" else bpe.openai.cl100k_base()
    return abs(count_text(text, vocabulary) - tokenizer.count(text)), -(-len(text) // PIECE)


@given(WORDS.map(" ".join), st.sampled_from(VOCABULARIES))
def test_a_long_text_is_cut_where_that_changes_nothing(seed: str, vocabulary: Vocabulary) -> None:
    assert _error(f"{seed} ", vocabulary)[0] == 0


@given(WHITE.map("".join), st.sampled_from(VOCABULARIES))
def test_where_there_are_no_single_spaces_it_is_wrong_by_two_tokens_a_piece_at_most(
    seed: str, vocabulary: Vocabulary
) -> None:
    error, pieces = _error(seed, vocabulary)
    assert error <= 2 * pieces


ADVERSARIAL = ["a", " ", "\n", "-", "=", "0", "\U0001f600", "e\u0301", "\u200d", "あ", " a", "\t \n", "'s", "aB"]


@pytest.mark.parametrize("unit", ADVERSARIAL)
def test_the_time_is_linear_whatever_the_text(unit: str) -> None:
    """16 times the text takes at most 16 times as long; a quadratic counter would take 256. Thrice that is noise."""
    short, long = (unit * (size // len(unit)) for size in (16_384, 262_144))
    count_text(short, "o200k_base")
    assert _seconds(long) < 3 * 16 * _seconds(short)


def _seconds(text: str) -> float:
    """The least of several, without what others do meanwhile."""
    times = []
    for _ in range(5):
        begin = time.thread_time()
        count_text(text, "o200k_base")
        times.append(time.thread_time() - begin)
    return min(times)
