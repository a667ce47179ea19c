"""Times counted in buckets, so that quantiles of any number of requests can be told from a few bytes.

A bucket's upper bound is 1.1 times its lower one. A time within it is told as their geometric mean, which is at most
5 % from it. A histogram is one integer, a counter of 32 bits for each bucket: adding two is adding their counters.
"""

from collections import defaultdict
from itertools import accumulate
from math import log
from typing import Final

ERROR: Final = 0.05
"""How far a quantile is from the true one at most, relative to it, for times between `LEAST_MS` and `MOST_MS`."""
LEAST_MS: Final = 0.1
_RATIO: Final = 1.1
_LOG_RATIO: Final = log(_RATIO)
_LAST: Final = 170
MOST_MS: Final = LEAST_MS * _RATIO**_LAST
"""About 18 minutes."""
_BITS: Final = 32
_MASK: Final = (1 << _BITS) - 1


def counted(ms: float) -> int:
    """The histogram of one time."""
    return 1 << _BITS * _bucket(ms)


def quantile(histogram: int, q: float) -> float | None:
    """The time in ms which a share `q` of all does not exceed (nearest rank), within `ERROR`; None: there is none."""
    counts = [histogram >> shift & _MASK for shift in range(0, histogram.bit_length(), _BITS)]
    if not counts:
        return None
    rank = max(q * sum(counts), 1)
    bucket = next(bucket for bucket, seen in enumerate(accumulate(counts)) if seen >= rank)
    return float(f"{LEAST_MS * _RATIO ** (bucket + 0.5):.3g}")


def _bucket(ms: float) -> int:
    return 0 if ms < LEAST_MS else int(min(log(ms / LEAST_MS) / _LOG_RATIO, _LAST))


def packed(histogram: int) -> bytes:
    """As it is stored: the number of empty buckets at the low end, then the others, little-endian. May be negative."""
    if not histogram:
        return b""
    empty = ((histogram & -histogram).bit_length() - 1) // _BITS
    rest = histogram >> _BITS * empty
    return bytes([empty]) + rest.to_bytes(rest.bit_length() // 8 + 1, "little", signed=True)


def unpacked(stored: bytes) -> int:
    """The histogram again."""
    return int.from_bytes(stored[1:], "little", signed=True) << _BITS * stored[0] if stored else 0


def sum_of(stored: bytes, other: bytes) -> bytes:
    """Two histograms as one."""
    return packed(unpacked(stored) + unpacked(other))


class Summing:
    """SQLite's aggregate `histogram(value, sign)`: of times in ms and of stored histograms, or NULL."""

    def __init__(self) -> None:
        self._sums: defaultdict[int, int] = defaultdict(int)
        """By the number of empty buckets that are left out; adding such is quicker than adding whole ones."""

    def step(self, value: object, sign: int) -> None:
        """Take one more; what is neither does not count."""
        if isinstance(value, bytes):
            if value:
                self._sums[value[0]] += sign * int.from_bytes(value[1:], "little", signed=True)
        elif isinstance(value, int | float):
            self._sums[_bucket(value)] += sign

    def finalize(self) -> bytes:
        """The sum, as it is stored."""
        return packed(sum(rest << _BITS * empty for empty, rest in self._sums.items()))
