"""Latencies counted in buckets, so that quantiles of any number of requests can be told from a few bytes.

A bucket's upper bound is 1.1 times its lower one. A time within it is told as their geometric mean, which is at most
5 % from it. A histogram is one integer: for each bucket a counter of 32 bits for each of `LATENCIES`, side by side.
Adding two is adding their counters. Stored, that of a few requests is the list of their buckets, and counters take a
byte each while none is more than 255: both are shorter.
"""

from bisect import bisect_left
from collections import Counter, defaultdict
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
_LISTED: Final = 255
"""The first byte of a stored list. The second says how many times of the first of `LATENCIES` there are."""
_MOST_LISTED: Final = 64
_NARROW: Final = 254
"""The first byte of counters of 8 bits. The second is the number of empty buckets at the low end."""
_MOST_NARROW: Final = 255
_BEYOND_NARROW: Final = int.from_bytes(b"\0\xff\xff\xff" * (_LAST + 1) * len(LATENCIES), "little")
"""The bits of all counters that are none of narrow ones."""


def stored(*latencies: object) -> bytes:
    """The histogram of one request's `LATENCIES` in ms, as it is stored; what is no number does not count."""
    times, others = (bytes([_bucket(ms)]) if isinstance(ms, _NUMBER) else b"" for ms in latencies)
    return _list_of(times, others)


def quantiles(histogram: int, latency: str, shares: tuple[float, ...]) -> list[float | None]:
    """For each share the time in ms which such a share of all does not exceed (nearest rank), within `ERROR`.

    None: there is none.
    """
    buckets = -(-histogram.bit_length() // _BUCKET_BITS)
    counters = unpack(f"<{buckets * len(LATENCIES)}I", histogram.to_bytes(buckets * _BUCKET_BITS // 8, "little"))
    seen = list(accumulate(counters[LATENCIES.index(latency) :: len(LATENCIES)]))
    if not seen or not seen[-1]:
        return [None for _ in shares]
    return [_TIMES[bisect_left(seen, max(share * seen[-1], 1))] for share in shares]


def packed(histogram: int) -> bytes:
    """As it is stored: the number of empty buckets at the low end, then the others, little-endian. May be negative."""
    if not histogram:
        return b""
    empty = ((histogram & -histogram).bit_length() - 1) // _BUCKET_BITS
    rest = histogram >> _BUCKET_BITS * empty
    counters = rest.to_bytes(rest.bit_length() // 8 + 1, "little", signed=True)
    if rest < 0 or rest & _BEYOND_NARROW:
        return bytes((empty,)) + counters
    return bytes((_NARROW, empty)) + counters[:: _COUNTER_BITS // 8]


def unpacked(data: bytes) -> int:
    """The histogram of what is stored."""
    if not data:
        return 0
    if data[0] == _LISTED:
        return _histogram(data[2 : 2 + data[1]], data[2 + data[1] :])
    empty, rest = _counted(data)
    return rest << _BUCKET_BITS * empty


def sum_of(*several: bytes) -> bytes:
    """Stored histograms as one."""
    lists = [each for each in several if each[:1] == _LIST]
    times = b"".join([each[2 : 2 + each[1]] for each in lists])
    others = b"".join([each[2 + each[1] :] for each in lists])
    counted = [each for each in several if each and each[:1] != _LIST]
    if not counted and len(times) + len(others) <= _MOST_LISTED:
        return _list_of(times, others)
    sums = defaultdict[int, int](int)  # by the empty buckets that are left out: quicker than adding whole ones
    for each in counted:
        empty, rest = _counted(each)
        sums[empty] += rest
    listed = _histogram(times, others) if lists else 0
    return packed(listed + sum(rest << _BUCKET_BITS * empty for empty, rest in sums.items()))


class Summing:
    """SQLite's aggregate `histogram(sign, stored)`."""

    def __init__(self) -> None:
        self._added: list[bytes] = []
        self._removed: list[bytes] = []

    def step(self, sign: int, histogram: bytes) -> None:
        """Take one more."""
        (self._added if sign > 0 else self._removed).append(histogram)

    def finalize(self) -> bytes:
        """The sum, as it is stored."""
        added = self._added[0] if len(self._added) == 1 else sum_of(*self._added)
        return packed(unpacked(added) - unpacked(sum_of(*self._removed))) if self._removed else added


def _list_of(times: bytes, others: bytes) -> bytes:
    return bytes((_LISTED, len(times))) + times + others if times or others else b""


def _histogram(*lists: bytes) -> int:
    """Of buckets, each as often as there is a time in it."""
    counters = bytearray((_LAST + 1) * len(LATENCIES))
    beyond = 0
    for kind, buckets in enumerate(lists):
        if len(buckets) <= _MOST_NARROW:
            for bucket in buckets:
                counters[bucket * len(LATENCIES) + kind] += 1
        else:
            for bucket, count in Counter(buckets).items():
                beyond += count << _BUCKET_BITS * bucket + _COUNTER_BITS * kind
    return _widened(counters) + beyond


def _counted(data: bytes) -> tuple[int, int]:
    """Of what is stored, but no list: the number of empty buckets at the low end, and the others."""
    if data[0] == _NARROW:
        return data[1], _widened(data[2:])
    return data[0], int.from_bytes(data[1:], "little", signed=True)


def _widened(counters: bytes | bytearray) -> int:
    """Of counters of 8 bits."""
    wide = bytearray(len(counters) * _COUNTER_BITS // 8)
    wide[:: _COUNTER_BITS // 8] = counters
    return int.from_bytes(wide, "little")


def _bucket(ms: float) -> int:
    return 0 if ms < LEAST_MS else int(min(log(ms / LEAST_MS) / _LOG_RATIO, _LAST))


_LIST: Final = bytes([_LISTED])
_NUMBER: Final = (int, float)
_TIMES: Final = [float(f"{LEAST_MS * _RATIO ** (bucket + 0.5):.4g}") for bucket in range(_LAST + 1)]
