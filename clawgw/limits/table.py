"""A hash table of fixed size in memory that several processes map: the state of every bucket that says anything.

A bucket is found by a keyed hash, so that nothing of a client's making is stored, and nobody can aim at a neighbour.
Its slot is one of the `WINDOW` that begin where its hash points. A new bucket gets the slot that has been idle for
longest; where none is idle, the one that would be soonest, whose bucket is then as good as new.

Whoever writes holds the lock of the table and writes to a log first. One that is killed before the log is complete has
written nothing; after that, whoever comes next finishes the writing.
"""

import mmap
import os
import tempfile
from collections.abc import Sequence
from hashlib import blake2b
from struct import Struct
from typing import NamedTuple

SLOTS = 2**18
WINDOW = 32
KEY = 16
ROW = 64
_EMPTY = bytes(ROW)
_IDLE_FROM = Struct(f"<{KEY}xq{ROW - KEY - 8}x")
_ENTRY = Struct(f"<q{ROW}s")
_ENTRIES = 64
"""Of the log; more writes than that are done in several steps."""
_PENDING = 0
_SECRET = slice(16, 32)
_LOG = 64
_FIRST = 8192
_BYTES = _FIRST + (SLOTS + WINDOW) * ROW

Slot = int
"""Where in the memory it begins."""


class Address(NamedTuple):
    """The first slot of a window, and what to look for there."""

    home: Slot
    key: bytes


Change = tuple[Address, Slot | None, bytes]
"""An address, where `find` has found it under the same lock, and the row to write: the key, the time from which on the
row says nothing that an empty one does not say (8 bytes), and what the table need not understand."""


def create_shared() -> int:
    """A descriptor of an empty table that lives as long as somebody has it open, or mapped: 16 MiB, used as needed."""
    if hasattr(os, "memfd_create"):
        fd = os.memfd_create("clawgw-limits")
    else:
        with tempfile.TemporaryFile() as file:
            fd = os.dup(file.fileno())
    os.ftruncate(fd, _BYTES)
    os.pwrite(fd, os.urandom(KEY), _SECRET.start)
    return fd


class Table:
    """One process's view of the table; not for several threads."""

    def __init__(self, fd: int = -1) -> None:
        """Map the shared table `fd`; without it, one of this process alone."""
        self._memory = mmap.mmap(fd, _BYTES)
        if fd == -1:
            self._memory[_SECRET] = os.urandom(KEY)
        self._secret = self._memory[_SECRET]
        self.evicted = 0
        """How many buckets were forgotten by this process for want of room."""

    def address(self, name: str) -> Address:
        """Where a name belongs."""
        key = blake2b(name.encode("utf-8", "surrogatepass"), digest_size=KEY, key=self._secret).digest()
        return Address(_FIRST + int.from_bytes(key[:4], "little") % SLOTS * ROW, key)

    def find(self, address: Address) -> tuple[Slot | None, bytes]:
        """Where it is, and the row that is there; `None`, and an empty row: nowhere."""
        home, key = address
        row = self._memory[home : home + ROW]
        if row.startswith(key):
            return home, row
        at = self._memory[home : home + WINDOW * ROW].find(key)
        if at < 0:
            return None, _EMPTY
        return home + at, self._memory[home + at : home + at + ROW]

    def write(self, changes: Sequence[Change], now_ms: int) -> None:
        """Write the rows of different addresses: all of them, or, when killed, none."""
        for start in range(0, len(changes), _ENTRIES):
            self._write(changes[start : start + _ENTRIES], now_ms)

    def repair(self) -> None:
        """Finish what somebody was killed at."""
        pending = self._memory[_PENDING]
        for slot, row in _ENTRY.iter_unpack(self._memory[_LOG : _LOG + pending * _ENTRY.size]):
            self._memory[slot : slot + ROW] = row
        self._memory[_PENDING] = 0

    def close(self) -> None:
        """Give the mapping back."""
        self._memory.close()

    def _write(self, changes: Sequence[Change], now_ms: int) -> None:
        memory, slots = self._memory, [slot for _, slot, _ in changes]
        for number, slot in enumerate(slots):
            if slot is None:
                slots[number] = self._vacancy(changes[number][0].home, slots, now_ms)
        entries = b"".join([_ENTRY.pack(slot, row) for slot, (_, _, row) in zip(slots, changes, strict=True)])
        memory[_LOG : _LOG + len(entries)] = entries
        memory[_PENDING] = len(changes)
        self.repair()

    def _vacancy(self, home: Slot, taken: Sequence[Slot | None], now_ms: int) -> Slot:
        window = self._memory[home : home + WINDOW * ROW]
        idle = ((idle_ms, home + number * ROW) for number, (idle_ms,) in enumerate(_IDLE_FROM.iter_unpack(window)))
        idle_ms, slot = min(place for place in idle if place[1] not in taken)
        self.evicted += idle_ms > now_ms
        return slot
