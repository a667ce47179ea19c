"""A region of memory that holds series: names, each with some numbers. Pure.

One series comes after the other, in the machine's byte order, each part of it padded to eight bytes; the first that has
no numbers is the end:

    4 bytes  the name's length
    4 bytes  how many numbers follow the name
    the name, and the numbers, doubles
"""

import struct
from collections.abc import Iterable, Iterator, Sequence
from mmap import mmap
from typing import TypeAlias

_SIZES = struct.Struct("=II")
_WORD = 8

Cells: TypeAlias = "memoryview[float]"
"""The numbers of a series: what is stored there is counted."""
Series: TypeAlias = tuple[bytes, Sequence[float]]


def size_of(name: bytes, count: int) -> int:
    """How many bytes a series takes."""
    return _SIZES.size + _padded(len(name)) + count * _WORD


def begin(region: mmap, at: int, name: bytes, count: int) -> Cells:
    """A new series of `count` numbers, all 0, after the last one."""
    end = at + size_of(name, count)
    region[at + _SIZES.size : at + _SIZES.size + len(name)] = name
    region[at : at + _SIZES.size] = _SIZES.pack(len(name), count)  # last, and at once: others may be reading
    return memoryview(region)[end - count * _WORD : end].cast("d")


def series_in(region: mmap | bytes) -> Iterator[Series]:
    """All of them."""
    at = 0
    while at < len(region):
        length, count = _SIZES.unpack_from(region, at)
        if not count:
            break
        start = at + _SIZES.size
        numbers = start + _padded(length)
        yield region[start : start + length], struct.unpack_from(f"={count}d", region, numbers)
        at = numbers + count * _WORD


def region_of(series: Iterable[Series]) -> bytes:
    """A region that is just large enough."""
    return b"".join(
        _SIZES.pack(len(name), len(numbers))
        + name.ljust(_padded(len(name)), b"\0")
        + struct.pack(f"={len(numbers)}d", *numbers)
        for name, numbers in series
    )


def _padded(size: int) -> int:
    return -(-size // _WORD) * _WORD
