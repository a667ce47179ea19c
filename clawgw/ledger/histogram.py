"""How histograms of latencies are stored and added up, in few bytes and quickly. Pure.

A histogram is one integer: for each of `BUCKETS` a counter of 32 bits for each of `KINDS` of latencies, side by side.
Adding two is adding their counters. Stored, that of a few requests is the list of their buckets, and counters take a
byte each while none is more than 255: both are shorter. What the buckets are is for `ledger.latencies` to say.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from struct import unpack
from typing import Final

KINDS: Final = 2
BUCKETS: Final = 171
_COUNTER_BITS: Final = 32
_BUCKET_BITS: Final = _COUNTER_BITS * KINDS
_COUNTERS: Final = BUCKETS * KINDS
_LISTED: Final = 255
"""The first byte of a stored list. The second says how many buckets of the first kind there are."""
_LIST: Final = bytes((_LISTED,))
_MOST_LISTED: Final = 64
_NARROW: Final = 254
"""The first byte of counters of 8 bits. The second is the number of empty buckets at the low end, the third one no less
than any counter, so that it is known without a look at them how many can be added.
"""
_MOST_NARROW: Final = 255
_BEYOND_NARROW: Final = int.from_bytes(b"\0\xff\xff\xff" * _COUNTERS, "little")
"""The bits of all counters that are none of narrow ones."""


def listed(times: bytes, others: bytes) -> bytes:
    """Of the buckets of each kind of latency, a few of them, as it is stored."""
    return bytes((_LISTED, len(times))) + times + others if times or others else b""


def packed(histogram: int) -> bytes:
    """As it is stored: the number of empty buckets at the low end, then the others, little-endian. May be negative."""
    if not histogram:
        return b""
    empty = ((histogram & -histogram).bit_length() - 1) // _BUCKET_BITS
    rest = histogram >> _BUCKET_BITS * empty
    wide = rest.to_bytes(rest.bit_length() // 8 + 1, "little", signed=True)
    if rest < 0 or rest & _BEYOND_NARROW:
        return bytes((empty,)) + wide
    narrow = wide[:: _COUNTER_BITS // 8]
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
        return listed(times, others)
    bound = len(times) + len(others) + sum([each[2] if each[0] == _NARROW else _MOST_NARROW + 1 for each in counted])
    if bound <= _MOST_NARROW:
        return _narrow_sum(counted, times, others, bound)
    sums = defaultdict[int, int](int)  # by the empty buckets that are left out: quicker than adding whole ones
    for each in counted:
        empty, rest = _counted(each)
        sums[empty] += rest
    few = _histogram(times, others) if lists else 0
    return packed(few + sum(rest << _BUCKET_BITS * empty for empty, rest in sums.items()))


def counters(data: bytes) -> tuple[int, Sequence[int]]:
    """Of a stored histogram the number of empty buckets at the low end, and the counters of the others."""
    if data[:1] == _LIST and len(data) <= _MOST_NARROW:
        return 0, _counters_in(*_lists(data))
    if data[:1] == bytes((_NARROW,)):
        return data[1], data[3:]
    wide = unpacked(data).to_bytes(_COUNTERS * _COUNTER_BITS // 8, "little")
    return 0, unpack(f"<{_COUNTERS}I", wide)


def without(data: bytes, removed: bytes) -> bytes:
    """What is left of a stored histogram when another one, which is part of it, is taken away."""
    if data[:1] != _LIST or removed[:1] != _LIST:
        return packed(unpacked(data) - unpacked(removed))
    left = [*_lists(data)]
    for kind, buckets in enumerate(_lists(removed)):
        for bucket in buckets:
            left[kind] = left[kind].replace(bytes((bucket,)), b"", 1)
    return listed(*left)


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


def _narrow_sum(narrow: Iterable[bytes], times: bytes, others: bytes, bound: int) -> bytes:
    """Of narrow counters and lists, where no counter can come to more than a byte holds."""
    added = int.from_bytes(_counters_in(times, others), "little")
    for each in narrow:
        added += int.from_bytes(each[3:], "little") << 8 * KINDS * each[1]
    summed = added.to_bytes(_COUNTERS, "little")
    empty = (_COUNTERS - len(summed.lstrip(b"\0"))) // KINDS
    return bytes((_NARROW, empty, bound)) + summed[empty * KINDS :].rstrip(b"\0")


def _lists(data: bytes) -> tuple[bytes, bytes]:
    """Of a stored list the buckets of each kind."""
    split = 2 + data[1]
    return data[2:split], data[split:]


def _counters_in(*lists: bytes) -> bytearray:
    """Of lists of buckets, together not more than `_MOST_NARROW`."""
    counted = bytearray(_COUNTERS)
    for kind, buckets in enumerate(lists):
        for bucket in buckets:
            counted[bucket * KINDS + kind] += 1
    return counted


def _histogram(*lists: bytes) -> int:
    """Of buckets, each as often as there is a time in it."""
    if sum(map(len, lists)) <= _MOST_NARROW:
        return _widened(_counters_in(*lists))
    counts = [(kind, bucket, count) for kind, each in enumerate(lists) for bucket, count in Counter(each).items()]
    return sum(count << _BUCKET_BITS * bucket + _COUNTER_BITS * kind for kind, bucket, count in counts)


def _counted(data: bytes) -> tuple[int, int]:
    """Of what is stored, but no list: the number of empty buckets at the low end, and the others."""
    if data[0] == _NARROW:
        return data[1], _widened(data[3:])
    return data[0], int.from_bytes(data[1:], "little", signed=True)


def _widened(narrow: bytes | bytearray) -> int:
    """Of counters of 8 bits."""
    wide = bytearray(len(narrow) * _COUNTER_BITS // 8)
    wide[:: _COUNTER_BITS // 8] = narrow
    return int.from_bytes(wide, "little")
