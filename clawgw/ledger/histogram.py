"""Latencies counted in buckets, so that quantiles of any number of requests can be told from a few bytes.

A bucket's upper bound is 1.1 times its lower one. A time within it is told as their geometric mean, which is at most
5 % from it. A histogram is one integer: for each bucket a counter of 32 bits for each of `LATENCIES`, side by side.
Adding two is adding their counters.
"""

from bisect import bisect_left
from collections import defaultdict
from itertools import accumulate
from math import log
from struct import unpack
from typing import Final

LATENCIES: Final = ("duration_ms", "first_token_ms")
ERROR: Final = 0.05
"""How far a quantile is from the true one at most, relative to it, for times between `LEAST_MS` and `MOST_MS`."""
LEAST_MS: Final = 0.1
_RATIO: Final = 1.1
_LOG_RATIO: Final = log(_RATIO)
_LAST: Final = 170
MOST_MS: Final = LEAST_MS * _RATIO**_LAST
"""About 18 minutes."""
_COUNTER_BITS: Final = 32
_BUCKET_BITS: Final = _COUNTER_BITS * len(LATENCIES)


def counted(*latencies: object) -> int:
    """The histogram of one request, of its `LATENCIES` in ms; what is no number does not count."""
    histogram = 0
    for kind, ms in enumerate(latencies):
        if isinstance(ms, int | float):
            histogram += 1 << _BUCKET_BITS * _bucket(ms) + _COUNTER_BITS * kind
    return histogram


def quantile(histogram: int, latency: str, q: float) -> float | None:
    """The time in ms which a share `q` of all does not exceed (nearest rank), within `ERROR`; None: there is none."""
    buckets = -(-histogram.bit_length() // _BUCKET_BITS)
    counters = unpack(f"<{buckets * len(LATENCIES)}I", histogram.to_bytes(buckets * _BUCKET_BITS // 8, "little"))
    seen = list(accumulate(counters[LATENCIES.index(latency) :: len(LATENCIES)]))
    if not seen or not seen[-1]:
        return None
    bucket = bisect_left(seen, max(q * seen[-1], 1))
    return float(f"{LEAST_MS * _RATIO ** (bucket + 0.5):.4g}")


def packed(histogram: int) -> bytes:
    """As it is stored: the number of empty buckets at the low end, then the others, little-endian. May be negative."""
    if not histogram:
        return b""
    empty = ((histogram & -histogram).bit_length() - 1) // _BUCKET_BITS
    rest = histogram >> _BUCKET_BITS * empty
    return bytes([empty]) + rest.to_bytes(rest.bit_length() // 8 + 1, "little", signed=True)


def unpacked(stored: bytes) -> int:
    """The histogram again."""
    return int.from_bytes(stored[1:], "little", signed=True) << _BUCKET_BITS * stored[0] if stored else 0


def sum_of(stored: bytes, other: bytes) -> bytes:
    """Two histograms as one."""
    return packed(unpacked(stored) + unpacked(other))


class Summing:
    """SQLite's aggregate: `histogram(sign, stored)` of histograms, or `histogram(sign, …)` of requests' `LATENCIES`."""

    def __init__(self) -> None:
        self._sums: defaultdict[int, int] = defaultdict(int)
        """By the number of empty buckets that are left out; adding such is quicker than adding whole ones."""

    def step(self, sign: int, *values: object) -> None:
        """Take one more."""
        stored = values[0]
        if not isinstance(stored, bytes):
            self._sums[0] += sign * counted(*values)
        elif stored:
            self._sums[stored[0]] += sign * int.from_bytes(stored[1:], "little", signed=True)

    def finalize(self) -> bytes:
        """The sum, as it is stored."""
        return packed(sum(rest << _BUCKET_BITS * empty for empty, rest in self._sums.items()))


def _bucket(ms: float) -> int:
    return 0 if ms < LEAST_MS else int(min(log(ms / LEAST_MS) / _LOG_RATIO, _LAST))
