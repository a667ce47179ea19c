from mmap import mmap

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clawgw.web.region import begin, region_of, series_in, size_of

NAMES = st.lists(st.tuples(st.binary(max_size=40), st.integers(1, 5)), max_size=30)


@given(NAMES)
def test_every_series_is_there_with_its_numbers(names: list[tuple[bytes, int]]) -> None:
    region, at, counted = mmap(-1, 8192), 0, []
    for order, (name, count) in enumerate(names):
        cells = begin(region, at, name, count)
        assert cells.tolist() == [0.0] * count
        cells[count - 1] = order + 0.5
        counted.append((name, (0.0,) * (count - 1) + (order + 0.5,)))
        at += size_of(name, count)
    assert [*series_in(region)] == counted
    assert region_of(series_in(region)) == region[:at]


@pytest.mark.parametrize("region", [b"", bytes(64)])
def test_nothing_is_in_an_empty_region(region: bytes) -> None:
    assert [*series_in(region)] == []


def test_series_may_fill_a_region_to_its_last_byte() -> None:
    region = mmap(-1, 48)
    begin(region, 0, b"12345678", 2)[1] = 1
    begin(region, 32, b"", 1)[0] = 2
    assert [*series_in(region)] == [(b"12345678", (0.0, 1.0)), (b"", (2.0,))]


def test_how_a_series_lies() -> None:
    region = region_of([(b"a", [1.0])])
    assert region in (
        b"\1\0\0\0\1\0\0\0a\0\0\0\0\0\0\0\0\0\0\0\0\0\xf0\x3f",
        b"\0\0\0\1\0\0\0\1a\0\0\0\0\0\0\0\x3f\xf0\0\0\0\0\0\0",
    )
