"""Reading a segment: page by page, never more than was wholly written.

A segment that is still written to ends, for its reader, at the first bytes that are no whole frame: there may be one
soon. In a sealed one nothing comes any more: what is damaged is passed over, up to where the next frame begins.
"""

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from attrs import frozen

from clawgw.ledger.journal.frame import MAGIC, Frame, decode, reach

PAGE = 512 * 1024


@frozen
class Page:
    """Frames in their order. Reading goes on at `end`; `whole`: there is no more in a sealed segment.

    `damaged` bytes were passed over, those that were never written not counted.
    """

    frames: Sequence[Frame]
    end: int
    whole: bool
    damaged: int = 0


def read_page(segment: Path, start: int, *, sealed: bool, size: int = PAGE) -> Page:
    """The frames that begin at `start` or after it, as many as lie within `size` bytes, or one. Raises OSError."""
    with segment.open("rb", buffering=0) as file:
        data = os.pread(file.fileno(), size, start)
        last = start + len(data) >= os.fstat(file.fileno()).st_size
    frames, end, damaged = _scan(data, sealed=sealed, last=last)
    if not end and not last and len(data) < (larger := reach(data, 0)):
        return read_page(segment, start, sealed=sealed, size=larger)
    return Page(frames, start + end, sealed and last and end == len(data), damaged)


def read_all(segment: Path) -> Iterator[Frame]:
    """The frames of a sealed segment."""
    page = Page((), 0, whole=False)
    while not page.whole:
        page = read_page(segment, page.end, sealed=True)
        yield from page.frames


def _scan(data: bytes, *, sealed: bool, last: bool) -> tuple[Sequence[Frame], int, int]:
    """The frames, how far they were looked for, and what was damaged. `last`: nothing lies beyond `data`."""
    frames, at, damaged = list[Frame](), 0, 0
    while at < len(data):
        frame = decode(data, at)
        if frame is not None:
            frames.append(frame)
            at = frame.end
        elif not sealed or (not last and len(data) - at < reach(data, at)):
            break
        else:
            found = _next_start(data, at + 1, last=last)
            damaged += len(data[at:found].strip(b"\0"))
            at = found
    return frames, at, damaged


def _next_start(data: bytes, at: int, *, last: bool) -> int:
    """Where the next frame may begin; its first bytes may be the last of `data`."""
    found = data.find(MAGIC, at)
    if found >= 0:
        return found
    return len(data) if last else max(at, len(data) - len(MAGIC) + 1)
