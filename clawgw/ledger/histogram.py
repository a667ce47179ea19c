"""Latencies counted in buckets, so that quantiles of any number of requests can be told from a few bytes.

A bucket's upper bound is 1.1 times its lower one. A time within it is told as their geometric mean, which is at most
5 % from it. A histogram is one integer: for each bucket a counter of 32 bits for each of `LATENCIES`, side by side.
Adding two is adding their counters. Stored, that of a few requests is the list of their buckets, and counters take a
byte each while none is more than 255: both are shorter.
"""

from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
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
_COUNTERS: Final = (_LAST + 1) * len(LATENCIES)
_LISTED: Final = 255
"""The first byte of a stored list. The second says how many times of the first of `LATENCIES` there are."""
_MOST_LISTED: Final = 64
_NARROW: Final = 254
"""The first byte of counters of 8 bits. The second is the number of empty buckets at the low end, the third one no less
than any counter, so that it is known without a look at them how many can be added.
"""
_MOST_NARROW: Final = 255
_BEYOND_NARROW: Final = int.from_bytes(b"\0\xff\xff\xff" * _COUNTERS, "little")
"""The bits of all counters that are none of narrow ones."""


def stored(*latencies: object) -> bytes:
    """The histogram of one request's `LATENCIES` in ms, as it is stored; what is no number does not count."""
    times, others = (bytes([_bucket(ms)]) if isinstance(ms, _NUMBER) else b"" for ms in latencies)
    return _list_of(times, others)


def quantiles(data: bytes, latency: str, shares: tuple[float, ...]) -> list[float | None]:
    """For each share the time in ms which such a share of all does not exceed (nearest rank), within `ERROR`.

    Of a histogram as it is stored. None: there is none.
    """
    empty, counters = _counters_of(data)
    seen = list(accumulate(counters[LATENCIES.index(latency) :: len(LATENCIES)]))
    if not seen or not seen[-1]:
        return [None for _ in shares]
    return [_TIMES[empty + bisect_left(seen, max(share * seen[-1], 1))] for share in shares]


def packed(histogram: int) -> bytes:
    """As it is stored: the number of empty buckets at the low end, then the others, little-endian. May be negative."""
    if not histogram:
        return b""
    empty = ((histogram & -histogram).bit_length() - 1) // _BUCKET_BITS
    rest = histogram >> _BUCKET_BITS * empty
    counters = rest.to_bytes(rest.bit_length() // 8 + 1, "little", signed=True)
    if rest < 0 or rest & _BEYOND_NARROW:
        return bytes((empty,)) + counters
    narrow = counters[:: _COUNTER_BITS // 8]
    return bytes((_NARROW, empty, max(narrow))) + narrow


def unpacked(data: bytes) -> int:
    """The histogram of what is stored."""
    if not data:
        return 0
    if data[0] == _LISTED:
        return _histogram(*_lists(data))
    empty, rest = _counted(data)
    return rest << _BUCKET_BITS * empty


def sum_of(*several: bytes) -> bytes:
    """Stored histograms as one."""
    lists = [_lists(each) for each in several if each[:1] == _LIST]
    times, others = b"".join([each for each, _ in lists]), b"".join([each for _, each in lists])
    counted = [each for each in several if each and each[:1] != _LIST]
    if not counted and len(times) + len(others) <= _MOST_LISTED:
        return _list_of(times, others)
    bound = len(times) + len(others) + sum([each[2] if each[0] == _NARROW else _MOST_NARROW + 1 for each in counted])
    if bound <= _MOST_NARROW:
        return _narrow_sum(counted, times, others, bound)
    sums = defaultdict[int, int](int)  # by the empty buckets that are left out: quicker than adding whole ones
    for each in counted:
        empty, rest = _counted(each)
        sums[empty] += rest
    listed = _histogram(times, others) if lists else 0
    return packed(listed + sum(rest << _BUCKET_BITS * empty for empty, rest in sums.items()))


def _narrow_sum(narrow: Iterable[bytes], times: bytes, others: bytes, bound: int) -> bytes:
    """Of narrow counters and lists, where no counter can come to more than a byte holds."""
    added = int.from_bytes(_counters(times, others), "little")
    for each in narrow:
        added += int.from_bytes(each[3:], "little") << 8 * len(LATENCIES) * each[1]
    counters = added.to_bytes(_COUNTERS, "little")
    empty = (_COUNTERS - len(counters.lstrip(b"\0"))) // len(LATENCIES)
    return bytes((_NARROW, empty, bound)) + counters[empty * len(LATENCIES) :].rstrip(b"\0")


def without(data: bytes, removed: bytes) -> bytes:
    """What is left of a stored histogram when another one, which is part of it, is taken away."""
    if data[:1] != _LIST or removed[:1] != _LIST:
        return packed(unpacked(data) - unpacked(removed))
    left = [*_lists(data)]
    for kind, buckets in enumerate(_lists(removed)):
        for bucket in buckets:
            left[kind] = left[kind].replace(bytes((bucket,)), b"", 1)
    return _list_of(*left)


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


def _lists(data: bytes) -> tuple[bytes, bytes]:
    """Of a stored list the buckets of each of `LATENCIES`."""
    split = 2 + data[1]
    return data[2:split], data[split:]


def _counters_of(data: bytes) -> tuple[int, Sequence[int]]:
    """Of a stored histogram: the number of empty buckets at the low end, and the counters of the others."""
    if data[:1] == _LIST and len(data) <= _MOST_NARROW:
        return 0, _counters(*_lists(data))
    if data[:1] == bytes((_NARROW,)):
        return data[1], data[3:]
    wide = unpacked(data).to_bytes(_COUNTERS * _COUNTER_BITS // 8, "little")
    return 0, unpack(f"<{_COUNTERS}I", wide)


def _counters(*lists: bytes) -> bytearray:
    """Of lists of buckets, together not more than `_MOST_NARROW`."""
    counters = bytearray(_COUNTERS)
    for kind, buckets in enumerate(lists):
        for bucket in buckets:
            counters[bucket * len(LATENCIES) + kind] += 1
    return counters


def _histogram(*lists: bytes) -> int:
    """Of buckets, each as often as there is a time in it."""
    if sum(map(len, lists)) <= _MOST_NARROW:
        return _widened(_counters(*lists))
    counts = [(kind, bucket, count) for kind, each in enumerate(lists) for bucket, count in Counter(each).items()]
    return sum(count << _BUCKET_BITS * bucket + _COUNTER_BITS * kind for kind, bucket, count in counts)


def _counted(data: bytes) -> tuple[int, int]:
    """Of what is stored, but no list: the number of empty buckets at the low end, and the others."""
    if data[0] == _NARROW:
        return data[1], _widened(data[3:])
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
