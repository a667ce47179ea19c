import pytest
from attrs import define

from clawgw.cache.entry import Entry
from clawgw.cache.memory import MemoryCache


@define
class Clock:
    now: float = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def entry(size: int) -> Entry:
    """One of so many bytes, its overhead of 1024 included."""
    return Entry(b"x" * (size - 1024), "p", "m", 0.0)


async def test_what_was_put_is_found_for_its_time(clock: Clock) -> None:
    cache, kept = MemoryCache(1_000_000, clock), entry(2_000)
    cache.put(b"k", kept, 10.0)
    clock.now = 9.999
    assert await cache.get(b"k") is kept
    assert await cache.get(b"other") is None
    clock.now = 10.0
    assert await cache.get(b"k") is None
    assert cache.size == 0


async def test_what_was_not_asked_for_longest_goes_first(clock: Clock) -> None:
    cache = MemoryCache(64 * 10_000, clock)
    for number in range(64):
        cache.put(b"%d" % number, entry(10_000), 10.0)
    assert cache.size == 640_000
    assert await cache.get(b"0") is not None
    cache.put(b"new", entry(10_000), 10.0)
    assert [number for number in range(64) if await cache.get(b"%d" % number) is None] == [1]
    assert cache.size == 640_000


async def test_one_that_is_too_large_is_not_kept(clock: Clock) -> None:
    cache = MemoryCache(64 * 10_000, clock)
    cache.put(b"large", entry(10_001), 10.0)
    cache.put(b"fits", entry(10_000), 10.0)
    assert await cache.get(b"large") is None
    assert await cache.get(b"fits") is not None


async def test_a_later_answer_takes_the_place_of_an_earlier_one(clock: Clock) -> None:
    cache = MemoryCache(1_000_000, clock)
    cache.put(b"k", entry(3_000), 10.0)
    later = entry(2_000)
    clock.now = 5.0
    cache.put(b"k", later, 10.0)
    clock.now = 12.0
    assert await cache.get(b"k") is later
    assert cache.size == 2_000
