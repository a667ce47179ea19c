"""Texts in tokens, by the vocabularies that OpenAI has published; rs-bpe has them compiled in, nothing is fetched.

rs-bpe is linear in the length of a text, whatever the text is, but it keeps the interpreter while it counts. So a long
text is counted in pieces, and other threads may go on in between. Pieces end before a space, where both vocabularies'
patterns begin a new word, so that cutting changes nothing. Where white space is mixed, or there is no space at all, the
count may be wrong by a token or two for each piece.
"""

import time
from collections.abc import Iterator
from functools import cache, lru_cache
from typing import Any, Literal

from rs_bpe import bpe

Vocabulary = Literal["o200k_base", "cl100k_base"]

PIECE = 4096
"""Characters counted at once: 0.1 ms, and 3 ms where they are all dashes, which is the worst."""


def count_text(text: str, vocabulary: Vocabulary) -> int:
    """Tokens of a text. What looks like a special token is counted as text; lone surrogates count as `?`."""
    if len(text) <= PIECE:
        return _count_piece(text, vocabulary)
    tokenizer, tokens = _tokenizer(vocabulary), 0
    for piece in _pieces(text):
        tokens += _count(tokenizer, piece)
        time.sleep(0)  # lets another thread have the interpreter, if one waits for it
    return tokens


@lru_cache(maxsize=1024)
def _count_piece(text: str, vocabulary: Vocabulary) -> int:
    """Remembered, because a conversation comes again with every turn of it, and instructions with every request."""
    return _count(_tokenizer(vocabulary), text)


def _count(tokenizer: Any, text: str) -> int:
    try:
        return int(tokenizer.count(text))
    except UnicodeEncodeError:
        return int(tokenizer.count(text.encode(errors="replace").decode()))


def _pieces(text: str) -> Iterator[str]:
    start = 0
    while len(text) - start > PIECE:
        space = text.rfind(" ", start + 1, start + PIECE)
        end = start + PIECE if space == -1 else space
        yield text[start:end]
        start = end
    yield text[start:]


@cache
def _tokenizer(vocabulary: Vocabulary) -> Any:
    """Built when first asked for, which takes 30 ms."""
    return bpe.openai.o200k_base() if vocabulary == "o200k_base" else bpe.openai.cl100k_base()
