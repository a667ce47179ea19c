"""Ways to split the bytes of a stream, as a network might."""

import random
from collections.abc import Iterator
from itertools import chain, pairwise

from clawgw.wire.sse import SseDecoder

WHOLE_UP_TO = 8 * 1024


def all_splits(raw: bytes, *, whole_up_to: int = WHOLE_UP_TO, random_splits: int = 500) -> Iterator[list[bytes]]:
    """Single bytes; then two pieces, cut at every offset, or for a longer stream random cuts from a fixed seed."""
    yield [raw[at : at + 1] for at in range(len(raw))]
    if len(raw) <= whole_up_to:
        for at in range(1, len(raw)):
            yield [raw[:at], raw[at:]]
        return
    dice = random.Random(len(raw))  # noqa: S311 - splits need no secrecy, they need to come out the same each time
    for _ in range(random_splits):
        cuts = sorted(dice.sample(range(1, len(raw)), dice.randint(1, 40)))
        yield [raw[start:end] for start, end in pairwise([0, *cuts, len(raw)])]


def telling_splits(raw: bytes, **limits: int) -> Iterator[list[bytes]]:
    """Those of `all_splits` that a parser over `SseDecoder` can tell apart.

    Every split is put through the decoder, whose blocks must come out the same; a parser sees no more of a split than
    which blocks came together, so one split stands for all that gather them alike.
    """
    whole = list(chain.from_iterable(_gathered([raw])))
    seen = set()
    for pieces in all_splits(raw, **limits):
        gathered = _gathered(pieces)
        assert list(chain.from_iterable(gathered)) == whole
        sizes = tuple(map(len, gathered))
        if sizes not in seen:
            seen.add(sizes)
            yield pieces


def _gathered(pieces: list[bytes]) -> list[list[bytes]]:
    """The blocks that each piece brought, and the one at the end."""
    decoder = SseDecoder()
    gathered = [decoder.feed(piece) for piece in pieces]
    return [*gathered, decoder.finish()]
