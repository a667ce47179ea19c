from collections.abc import Iterator
from pathlib import Path
from tempfile import NamedTemporaryFile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clawgw.ledger.journal.frame import MAX_FRAME, Kind
from clawgw.ledger.journal.segment import PAGE, read_all, read_page
from tests.ledger.records import frame_of

FRAMES = [frame_of(Kind.FINAL, {"id": number, "pad": "x" * number}) for number in range(50)]
PAYLOADS = [frame[12:] for frame in FRAMES]
WHOLE = b"".join(FRAMES)


@pytest.fixture(scope="module")
def segment() -> Iterator[Path]:
    with NamedTemporaryFile() as file:
        yield Path(file.name)


def payloads(path: Path) -> list[bytes]:
    return [frame.payload for frame in read_all(path)]


def is_part(of: list[bytes], found: list[bytes]) -> bool:
    rest = iter(of)
    return all(each in rest for each in found)


def test_a_living_writers_segment_is_read_up_to_where_it_writes(segment: Path) -> None:
    segment.write_bytes(FRAMES[0] + FRAMES[1] + FRAMES[2][:-1] + bytes(1000))
    page = read_page(segment, 0, sealed=False)
    assert [frame.payload for frame in page.frames] == PAYLOADS[:2]
    assert page.end == len(FRAMES[0] + FRAMES[1])
    assert not page.whole
    segment.write_bytes(FRAMES[0] + FRAMES[1] + FRAMES[2] + bytes(999))
    page = read_page(segment, page.end, sealed=False)
    assert [frame.payload for frame in page.frames] == PAYLOADS[2:3]


def test_in_a_sealed_segment_damage_costs_what_is_damaged_alone(segment: Path) -> None:
    broken = bytearray(FRAMES[1])
    broken[-1] ^= 1
    segment.write_bytes(FRAMES[0] + bytes(broken) + FRAMES[2] + bytes(1000))
    page = read_page(segment, 0, sealed=True)
    assert [frame.payload for frame in page.frames] == [PAYLOADS[0], PAYLOADS[2]]
    assert page.damaged == len(FRAMES[1])
    assert page.whole


def test_what_was_never_written_is_not_damaged(segment: Path) -> None:
    segment.write_bytes(bytes(3 * PAGE))
    page = read_page(segment, 0, sealed=True)
    assert (page.frames, page.damaged, page.whole) == ([], 0, False)
    assert payloads(segment) == []


@pytest.mark.parametrize("sealed", [True, False])
def test_a_segment_larger_than_a_page_is_read_whole(segment: Path, sealed: bool) -> None:  # noqa: FBT001 - a case
    segment.write_bytes(WHOLE * 200)
    found, end, pages = [], 0, 0
    while end < len(WHOLE) * 200:
        page = read_page(segment, end, sealed=sealed)
        found += [frame.payload for frame in page.frames]
        end, pages = page.end, pages + 1
    assert found == PAYLOADS * 200
    assert pages > 1


@given(st.data(), st.integers(0, len(WHOLE)), st.binary(min_size=1, max_size=40), st.integers(MAX_FRAME, 2 * MAX_FRAME))
def test_nothing_wrong_is_ever_read(segment: Path, data: st.DataObject, at: int, rubbish: bytes, size: int) -> None:
    """Overwritten, put in between or cut off: what is read are frames that were written, in their order."""
    kept_from = data.draw(st.sampled_from([at, min(at + len(rubbish), len(WHOLE)), len(WHOLE)]))
    damaged = WHOLE[:at] + rubbish + WHOLE[kept_from:]
    segment.write_bytes(damaged + bytes(data.draw(st.integers(0, 3000))))
    found, page = [], read_page(segment, 0, sealed=True, size=size)
    while True:
        found += [frame.payload for frame in page.frames]
        if page.whole:
            break
        page = read_page(segment, page.end, sealed=True, size=size)
    assert is_part(PAYLOADS, found)
    hurt = sum(at < end and start < at + len(rubbish) for start, end in spans()) if kept_from < len(WHOLE) else None
    if hurt is not None:
        assert len(found) >= len(PAYLOADS) - max(hurt, 1)


def spans() -> Iterator[tuple[int, int]]:
    start = 0
    for frame in FRAMES:
        yield start, start + len(frame)
        start += len(frame)


@given(st.binary(max_size=3000))
def test_any_bytes_come_to_an_end(segment: Path, data: bytes) -> None:
    segment.write_bytes(data)
    assert payloads(segment) == []


@pytest.mark.parametrize("sealed", [True, False])
@pytest.mark.parametrize("size", [12, 100, 1000])
def test_a_frame_that_is_larger_than_a_page_is_read_alone(segment: Path, size: int, sealed: bool) -> None:  # noqa: FBT001 - a case
    large = frame_of(Kind.FINAL, {"id": 1}, {"request_body": "x" * 5000, "response_body": None})
    segment.write_bytes(FRAMES[0] + large + FRAMES[1] + bytes(1000))
    found, end = list[bytes](), 0
    while len(found) < 3:
        page = read_page(segment, end, sealed=sealed, size=size)
        found += [frame.payload for frame in page.frames]
        end = page.end
    assert found == [PAYLOADS[0], large[12:], PAYLOADS[1]]


def test_a_large_frame_that_is_damaged_costs_no_other(segment: Path) -> None:
    large = bytearray(frame_of(Kind.FINAL, {"id": 1}, {"request_body": "x" * 5000, "response_body": None}))
    large[3000] ^= 1
    segment.write_bytes(FRAMES[0] + bytes(large) + FRAMES[1] + bytes(1000))
    page, found, damaged = read_page(segment, 0, sealed=True, size=100), list[bytes](), 0
    while not page.whole:
        found += [frame.payload for frame in page.frames]
        damaged += page.damaged
        page = read_page(segment, page.end, sealed=True, size=100)
    assert (found, damaged) == (PAYLOADS[:2], len(large))


def test_a_header_that_says_too_much_is_damaged(segment: Path) -> None:
    broken = bytearray(FRAMES[1])
    broken[6] = 15  # a million bytes
    segment.write_bytes(FRAMES[0] + bytes(broken) + FRAMES[2] + bytes(1000))
    assert payloads(segment) == [PAYLOADS[0], PAYLOADS[2]]
