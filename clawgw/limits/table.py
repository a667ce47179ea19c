"""A hash table of fixed size in memory that several processes map: the state of every bucket that says anything.

A bucket is found by a keyed hash, so that nothing of a client's making is stored, and nobody can aim at a neighbour.
Its slot is one of the `WINDOW` that begin where its hash points. A new bucket gets the slot that has been idle for
longest; where none is idle, the one that would be soonest, whose bucket is then as good as new.

Whoever writes holds the lock of the table and writes to a log first. One that is killed before the log is complete has
written nothing; after that, whoever comes next finishes the writing.
"""

import logging
import mmap
import os
import tempfile
from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from hashlib import blake2b
from struct import Struct
from typing import NamedTuple, Protocol

log = logging.getLogger("clawgw")

Slot = int
"""Where in the memory it begins."""

SLOTS = 2**18
WINDOW = 32
KEY = 16
ROW = 64
_IDLE_FROM = Struct(f"<{KEY}xq{ROW - KEY - 8}x")
_ENTRY = Struct(f"<q{ROW}s")
_ENTRIES = 64
"""Of the log; more writes than that are done in several steps."""
_PENDING = 0
_SECRET = slice(16, 32)
_LOG = 64
_FIRST = 8192
NOWHERE: Slot = _FIRST - ROW
"""Of what is not in the table: a row that is always empty."""
_BYTES = _FIRST + (SLOTS + WINDOW) * ROW


class Address(NamedTuple):
    """The first slot of a window, and what to look for there."""

    home: Slot
    key: bytes


class Entry(Protocol):
    """What somebody has to write."""

    address: Address
    slot: Slot
    """Where `find` has found it under the same lock."""

    def row(self) -> bytes:
        """What to write.

        The key, the time from which on it says nothing that an empty row does not say (8 bytes), and what the table
        need not understand.
        """


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
        self.memory = mmap.mmap(fd, _BYTES)
        self._shared = fd != -1
        if fd == -1:
            self.memory[_SECRET] = os.urandom(KEY)
        self._secret = self.memory[_SECRET]
        self.evicted = 0
        """How many buckets were forgotten by this process for want of room."""

    def address(self, name: str) -> Address:
        """Where a name belongs."""
        key = blake2b(name.encode("utf-8", "surrogatepass"), digest_size=KEY, key=self._secret).digest()
        return Address(_FIRST + int.from_bytes(key[:4], "little") % SLOTS * ROW, key)

    def find(self, address: Address) -> Slot:
        """Where it is; `NOWHERE` reads as a bucket that says nothing."""
        at = self.memory.find(address.key, address.home, address.home + WINDOW * ROW)
        return NOWHERE if at < 0 else at

    def write(self, entries: Sequence[Entry], now_ms: int) -> None:
        """Write those of different addresses: all of them, or, when killed, none."""
        for entry in entries:
            if entry.slot == NOWHERE:
                entry.slot = self._vacancy(entry.address.home, {other.slot for other in entries}, now_ms)
            if not self._shared:
                self.memory[entry.slot : entry.slot + ROW] = entry.row()
        if self._shared:
            for start in range(0, len(entries), _ENTRIES):
                self._write(entries[start : start + _ENTRIES])

    def repair(self) -> None:
        """Finish what somebody was killed at."""
        pending = self.memory[_PENDING]
        if not pending:
            return
        for slot, row in _ENTRY.iter_unpack(self.memory[_LOG : _LOG + pending * _ENTRY.size]):
            self.memory[slot : slot + ROW] = row
        self.memory[_PENDING] = 0

    def close(self) -> None:
        """Give the mapping back."""
        self.memory.close()

    def _write(self, entries: Sequence[Entry]) -> None:
        log = b"".join([_ENTRY.pack(entry.slot, entry.row()) for entry in entries])
        self.memory[_LOG : _LOG + len(log)] = log
        self.memory[_PENDING] = len(entries)
        self.repair()

    def _vacancy(self, home: Slot, taken: AbstractSet[Slot], now_ms: int) -> Slot:
        window = self.memory[home : home + WINDOW * ROW]
        idle = ((idle_ms, home + number * ROW) for number, (idle_ms,) in enumerate(_IDLE_FROM.iter_unpack(window)))
        idle_ms, slot = min(place for place in idle if place[1] not in taken)
        if idle_ms > now_ms:
            self._evict()
        return slot

    def _evict(self) -> None:
        if not self.evicted:
            log.warning("limits: more buckets are in use than there is room for; those that fill soonest are forgotten")
        self.evicted += 1
