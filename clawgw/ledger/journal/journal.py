"""The journal of one process: what it writes outlasts it, however it ends.

Each request writes twice, with one `write` each: that it has begun, and its record. What is written survives the
process; `sync` makes it survive the machine. Room for the record is set aside on the disk before the request is
begun, so that a full disk can refuse a request but never lose its record.
"""

import logging
import os
import time
from pathlib import Path
from typing import Self

from attrs import define, evolve, field

from clawgw.errors import LogSpoolFull
from clawgw.ledger.document import begins, finished, texts, unfinished
from clawgw.ledger.journal.frame import MAX_FRAME, Kind, encode
from clawgw.ledger.journal.spool import Spool, WriterFolder
from clawgw.ledger.record import DROPPED, Opening, RequestRecord

log = logging.getLogger("clawgw")

_SEGMENT_BYTES = 8 * 1024 * 1024
_LEAST_SEGMENT_BYTES = 4 * 1024
_SHARE = 32
"""A segment takes no more than this part of `max_bytes`, if it can be helped."""
_SHARE_WITH_BODIES = 0.8
"""Once so much of `max_bytes` is in use, records are written without bodies."""
_FULL_FOR_S = 0.2
"""For how long a spool that was found full is not looked at again."""


@define(eq=False)
class Journal:
    """Used by one thread, but for `sync`.

    In the current segment there is always room for a record of every open request. A new one is begun when a request
    would not fit; it starts with the intents of those that are open, so that the last segment alone tells what a dead
    process has left undone.
    """

    spool: Spool
    _max_bytes: int
    _segment_bytes: int
    folder: WriterFolder
    _lock: int
    _fd: int | None = None
    _number: int = 0
    _at: int = 0
    _size: int = 0
    _open: dict[str, bytes] = field(factory=dict)
    """How the documents of those that are open begin, by request id."""
    _owed: list[bytes] = field(factory=list)
    """Records that could not be written: the next segment starts with them."""
    _replaced: list[int] = field(factory=list)
    _full_until: float = 0.0
    frames: int = 0
    """How many were written."""
    rows: int = 0
    """How many requests have ended."""
    dropped_bodies: int = 0
    """How many of them, since somebody set this to 0, had bodies that were dropped."""
    taken: int = 0
    """The bytes of the spool when they were counted last, here or by whoever uses this."""

    @classmethod
    def open(cls, folder: Path, max_bytes: int) -> Self:
        """A journal in the spool `folder`, which is made if need be. Raises OSError."""
        spool = Spool(folder)
        segment_bytes = min(_SEGMENT_BYTES, max(_LEAST_SEGMENT_BYTES, max_bytes // _SHARE))
        return cls(spool, max_bytes, segment_bytes, *spool.enter())

    def intend(self, opening: Opening) -> None:
        """A request is about to be served. Raises `LogSpoolFull`: it must not be."""
        begun = begins(opening)
        frame = _intent(begun)
        if self._lacks(room := len(frame) + MAX_FRAME):
            self._begin_segment(room)
        try:
            self._write(frame)
        except OSError as error:
            raise _full(error) from None
        self._open[opening.request_id] = begun

    def request_ended(self, record: RequestRecord) -> None:
        """The request's record. Where even the room set aside has failed, it is kept and written as soon as may be.

        Raises `LogSpoolFull` for a request that was not intended and for which there is no room.
        """
        begun = self._open.get(record.request_id)
        frame = self._final(begun or begins(record), record)
        if begun is None and self._lacks(len(frame)):
            self._begin_segment(len(frame))
        self.rows += 1
        try:
            self._write(frame)
        except OSError as error:
            log.error("%s: the log cannot be written: %s", record.request_id, error)  # noqa: TRY400 - it says all
            self._owed.append(frame)
        self._open.pop(record.request_id, None)

    def sync(self) -> None:
        """Let what is written survive the machine. In any thread, one call at a time. Raises OSError."""
        if self._fd is not None:  # first: if it is replaced meanwhile, it is among those that come next
            os.fdatasync(self._fd)
        while self._replaced:
            os.fdatasync(self._replaced[0])
            os.close(self._replaced.pop(0))
        os.fsync(self._lock)

    def close(self) -> None:
        """Leave what is written to its readers."""
        try:
            if self._owed:
                self._replace_segment(0, self._max_bytes)
        except OSError as error:
            log.error("%d records could not be written and are lost: %s", len(self._owed), error)  # noqa: TRY400 - it says all
        for fd in (*self._replaced, self._fd, self._lock):
            if fd is not None:
                os.close(fd)

    def _final(self, begun: bytes, record: RequestRecord) -> bytes:
        """The frame of a record: with its bodies, if it has any and there is room for them."""
        if record.bodies is None:
            return encode(Kind.FINAL, finished(begun, record))
        if not record.bodies.dropped:
            frame = encode(Kind.FINAL, finished(begun, record), texts(record.bodies))
            if self._made_room_for_bodies(len(frame)):
                return frame
        self.dropped_bodies += 1
        return encode(Kind.FINAL, finished(begun, evolve(record, bodies=DROPPED)))

    def _made_room_for_bodies(self, room: int) -> bool:
        most = int(_SHARE_WITH_BODIES * self._max_bytes)
        if self.taken >= most:
            return False
        if self._lacks(room):
            try:
                self._replace_segment(room, most)
            except OSError:
                return False
        return True

    def _write(self, frame: bytes) -> None:
        """Whole, or not at all: then nothing more is written into this segment. Raises OSError."""
        end = self._at + len(frame)
        if self._fd is None or end > self._size:
            raise OSError("there is no room")
        try:
            _write_whole(self._fd, frame, self._at)
        except OSError:
            self._size = self._at
            os.ftruncate(self._fd, self._at)
            raise
        self._at = end
        self.frames += 1

    def _lacks(self, room: int) -> bool:
        """Whether there is less than that, beside what is set aside."""
        return self._at + room + len(self._open) * MAX_FRAME > self._size

    def _begin_segment(self, room: int) -> None:
        """As `_replace_segment`. Raises `LogSpoolFull`."""
        if time.monotonic() < self._full_until:
            raise _full(None)
        try:
            self._replace_segment(room, self._max_bytes)
        except OSError as error:
            self._full_until = time.monotonic() + _FULL_FOR_S
            raise _full(error) from None

    def _replace_segment(self, room: int, most: int) -> None:
        """Go on in one for all that is open, and at least `room` more bytes; `most` for the spool. Raises OSError."""
        start = b"".join((*self._owed, *map(_intent, self._open.values())))
        needed = len(start) + len(self._open) * MAX_FRAME
        try:
            fd = self._make(start, size := needed + max(room, self._segment_bytes), most)
        except OSError:  # a disk that is nearly full may have room for one more
            fd = self._make(start, size := needed + room, most)
        self.frames += len(self._owed) + len(self._open)
        self._owed.clear()
        if self._fd is not None:
            os.ftruncate(self._fd, self._at)
            self._replaced.append(self._fd)
        self._fd, self._at, self._size = fd, len(start), size

    def _make(self, start: bytes, size: int, most: int) -> int:
        """The next segment, set aside and begun, put in its place when it is good. Raises OSError."""
        used = self.spool.bytes() - (self._size - self._at)
        if used + size > most:
            raise OSError(f"{used} of log.max_spool_bytes = {self._max_bytes} bytes are in use")
        unfinished = self.folder.unfinished(self._number + 1)
        fd = os.open(unfinished, os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o600)
        try:
            os.posix_fallocate(fd, 0, size)
            _write_whole(fd, start, 0)
            unfinished.rename(self.folder.segment(self._number + 1))
        except OSError:
            os.close(fd)
            unfinished.unlink(missing_ok=True)
            raise
        self._number += 1
        self.taken = used + size
        return fd


def _intent(begun: bytes) -> bytes:
    return encode(Kind.INTENT, unfinished(begun))


def _write_whole(fd: int, data: bytes, at: int) -> None:
    written = os.pwrite(fd, data, at)
    if written < len(data):
        raise OSError(f"{written} of {len(data)} bytes were written")


def _full(error: OSError | None) -> LogSpoolFull:
    if error is not None:
        log.error("requests are refused, for the log cannot be written: %s", error)
    return LogSpoolFull("the gateway cannot write its log: make room at log.spool, or raise log.max_spool_bytes")
